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

/** Who may describe and fill secrets, as a person's own credentials may on AWS; the functions' role only reads. */
export const OPERATOR_CREDENTIALS = { accessKeyId: "operator", secretAccessKey: "operator" };

/** A secret that exists, with its value if it has one. */
interface StoredSecret {
  readonly value: string | undefined;
  readonly versionId: string;
}

/** What AWS answers to a call that it refuses. */
class Refused extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const SecretId = z.string().min(1).max(2048);
const LABEL = "AWSCURRENT";
const getRequest = z.strictObject({ SecretId, VersionId: z.string().optional(),
  VersionStage: z.literal(LABEL).optional() });
const describeRequest = z.strictObject({ SecretId });
const putRequest = z.strictObject({ SecretId, ClientRequestToken: z.string().min(32).max(64).optional(),
  SecretString: z.string().min(1).max(65_536) });

/**
 * Answers GetSecretValue, and to {@link OPERATOR_CREDENTIALS} also DescribeSecret and PutSecretValue, by name or ARN.
 * A secret without a value is a ResourceNotFoundException to who reads it, as on AWS, and exists all the same.
 * `names` are the secrets that exist; those with a value do in any case.
 */
export async function startSecretsEmulator(values: Readonly<Record<string, string>>,
  names: readonly string[] = []): Promise<SecretsEmulator> {
  const secrets = new Map<string, StoredSecret>();
  const put = (name: string, value: string | undefined, versionId: string = randomUUID()): void => {
    secrets.set(name, { value, versionId });
  };
  for (const name of names) put(name, undefined);
  for (const [name, value] of Object.entries(values)) put(name, value);

  const find = (id: string): [string, StoredSecret] => {
    const found = [...secrets].find(([name]) => id === name || id === secretArn(name));
    if (found === undefined) {
      throw new Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
    }
    return found;
  };
  const operations: Readonly<Record<string, (body: unknown) => Record<string, unknown>>> = {
    GetSecretValue: (body) => {
      const [name, { value, versionId }] = find(checked(getRequest, body).SecretId);
      if (value === undefined) {
        throw new Refused("ResourceNotFoundException",
          `Secrets Manager can't find the specified secret value for staging label: ${LABEL}`);
      }
      return { ARN: secretArn(name), Name: name, SecretString: value, VersionId: versionId, VersionStages: [LABEL],
        CreatedDate: 0 };
    },
    DescribeSecret: (body) => {
      const [name, { value, versionId }] = find(checked(describeRequest, body).SecretId);
      return { ARN: secretArn(name), Name: name, CreatedDate: 0,
        VersionIdsToStages: value === undefined ? {} : { [versionId]: [LABEL] } };
    },
    PutSecretValue: (body) => {
      const { SecretId: id, SecretString, ClientRequestToken } = checked(putRequest, body);
      const [name] = find(id);
      put(name, SecretString, ClientRequestToken);
      return { ARN: secretArn(name), Name: name, VersionId: find(name)[1].versionId, VersionStages: [LABEL] };
    },
  };

  const server: LoopbackServer = await startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
    const answer = (status: number, body: Record<string, unknown>): void => {
      outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    };
    const name = String(incoming.headers["x-amz-target"]).replace(/^secretsmanager\./, "");
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined || (name !== "GetSecretValue" && !isOperator(incoming.headers["authorization"]))) {
      answer(400, { __type: "AccessDeniedException", message: "The functions may only call GetSecretValue." });
      return;
    }
    try {
      answer(200, operation(JSON.parse((await readBody(incoming)).toString("utf8"))));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      answer(400, { __type: error.type, message: error.message });
    }
  });
  return { url: server.url, set: put, stop: () => server.stop() };
}

function checked<T>(shape: z.ZodType<T>, body: unknown): T {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Refused("ValidationException", z.prettifyError(parsed.error));
}

/** By the access key in the signature; the signature itself is not checked. */
function isOperator(authorization: string | undefined): boolean {
  return authorization?.includes(`Credential=${OPERATOR_CREDENTIALS.accessKeyId}/`) === true;
}
