import { randomUUID } from "node:crypto";
import * as z from "zod";
import { secretArn } from "./account.ts";
import { type LoopbackServer, readBody, startLoopbackServer } from "./loopback.ts";

/** A running Secrets Manager double. */
export interface SecretsEmulator {
  readonly url: string;
  /** Sets a secret's value at run time; undefined takes the value away, as for a secret that nobody has filled yet. */
  set(name: string, value: string | undefined): void;
  stop(): Promise<void>;
}

const request = z.object({ SecretId: z.string() });

/**
 * Answers GetSecretValue (by name or ARN) and nothing else: the functions' role allows nothing else.
 * A secret without a value is a ResourceNotFoundException, as on AWS.
 */
export async function startSecretsEmulator(values: Readonly<Record<string, string>>): Promise<SecretsEmulator> {
  const secrets = new Map(Object.entries(values));
  const server: LoopbackServer = await startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
    const answer = (status: number, body: Record<string, unknown>): void => {
      outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    };
    if (incoming.headers["x-amz-target"] !== "secretsmanager.GetSecretValue") {
      answer(400, { __type: "AccessDeniedException", message: "The functions may only call GetSecretValue." });
      return;
    }
    const parsed = request.safeParse(JSON.parse((await readBody(incoming)).toString("utf8")));
    const id = parsed.data?.SecretId;
    const found = [...secrets].find(([name]) => id === name || id === secretArn(name));
    if (found === undefined) {
      answer(400, { __type: "ResourceNotFoundException", message: "Secrets Manager can't find the specified secret." });
      return;
    }
    const [name, value] = found;
    answer(200, {
      ARN: secretArn(name),
      Name: name,
      SecretString: value,
      VersionId: randomUUID(),
      VersionStages: ["AWSCURRENT"],
      CreatedDate: 0,
    });
  });
  return {
    url: server.url,
    set: (name, value) => {
      if (value === undefined) secrets.delete(name);
      else secrets.set(name, value);
    },
    stop: () => server.stop(),
  };
}
