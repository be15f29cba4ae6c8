import { randomUUID } from "node:crypto";

import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";

import { LOCAL_CLIENT, LOCAL_TOKEN } from "../../local/known-values.ts";
import { LOCAL_SELLER_ID, type Stack } from "../../local/stack.ts";
import type { Random } from "../pipeline/random-shop.ts";

/** What can befall the whole. */
export const TROUBLES = ["sqs duplicate", "sqs early redelivery", "ping secret rotated", "auth0 secret rotated",
  "gumroad token rotated"] as const;

/** The name of one. */
export type Trouble = (typeof TROUBLES)[number];

/** Makes one; false where there is nothing that it could befall. */
export type MakeTrouble = (trouble: Trouble) => Promise<boolean>;

/** Troubles of a running stack. `sqs` reaches its queue past the gates. */
export function troubles(stack: Stack, sqs: SQSClient,
  random: Random): { readonly make: MakeTrouble; readonly auth0Secret: () => string } {
  const QueueUrl = stack.queueUrl("ProvisionQueue");
  let auth0Secret = LOCAL_CLIENT.secret;
  let gumroadToken: string | undefined;
  /** Each message comes twice at most: of one that fails for long, copies of copies would keep the queue full. */
  const doubled = new Set<string>();

  return { auth0Secret: () => auth0Secret, make: async (trouble) => {
    switch (trouble) {
      case "sqs duplicate": {
        const { waiting, inFlight } = await stack.sqs.inspect("ProvisionQueue");
        const messages = [...waiting, ...inFlight.map((each) => each.message)];
        const message = oneOf(messages.filter(({ body }) => !doubled.has(body)), random);
        if (message === undefined) return false;
        doubled.add(message.body);
        await sqs.send(
          new SendMessageCommand({ QueueUrl, MessageBody: message.body, MessageGroupId: message.messageGroupId,
            MessageDeduplicationId: randomUUID() }),
        );
        return true;
      }
      case "sqs early redelivery": {
        // While its worker has it in hand: another gets it, too.
        const { inFlight } = await stack.sqs.inspect("ProvisionQueue");
        const message = oneOf(inFlight, random);
        if (message === undefined) return false;
        const command = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message.receiptHandle,
          VisibilityTimeout: 0 });
        return sqs.send(command).then(() => true, (error: unknown) => {
          // It was worked off just now.
          if (error instanceof Error && error.name === "MessageNotInflight") return false;
          throw error;
        });
      }
      case "ping secret rotated":
        stack.secrets.set("ping", { tokens: [randomUUID(), LOCAL_TOKEN], seller_id: LOCAL_SELLER_ID });
        return true;
      case "auth0 secret rotated":
        auth0Secret = stack.auth0.rotateSecret(randomUUID());
        stack.secrets.set("auth0", { domain: stack.gates.auth0, client_id: LOCAL_CLIENT.id,
          client_secret: auth0Secret });
        stack.auth0.revokeTokens();
        return true;
      case "gumroad token rotated": {
        const token = randomUUID();
        stack.gumroad.addToken({ token, scopes: ["view_sales"], application: `rotated ${token}` });
        stack.secrets.set("gumroad", { access_token: token, seller_id: LOCAL_SELLER_ID, api: stack.gates.gumroad });
        if (gumroadToken !== undefined) stack.gumroad.revokeToken(gumroadToken);
        gumroadToken = token;
        return true;
      }
    }
  } };
}

function oneOf<T>(all: readonly T[], random: Random): T | undefined {
  return all[Math.floor(random() * all.length)];
}
