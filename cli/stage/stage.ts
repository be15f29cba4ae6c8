import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SQSClient } from "@aws-sdk/client-sqs";

import type { RolesPlace } from "../../src/ledger/record.ts";

/** The stage that `npm start` runs. */
export const LOCAL = "local";

/** The addresses of the services that stand in for real ones. */
export interface Emulators {
  /** Of the Auth0 emulator; null where `npm start` provisions another tenant. */
  readonly auth0: string | null;
  /** Of the Gumroad emulator, without `/v2`. */
  readonly gumroad: string;
}

/** A running deployment, as commands reach it: the same clients and names for all, only the addresses differ. */
export interface Stage {
  readonly name: string;
  /** `https://…/ping`: the ping URL is this, a slash, and a token of the secret `ping`. */
  readonly pingAddress: string;
  readonly secretsManager: SecretsManagerClient;
  readonly sqs: SQSClient;
  readonly dynamo: DynamoDBClient;
  readonly lambda: LambdaClient;
  /** URLs of the queue of the buyers, and of what nothing could take. */
  readonly queue: string;
  readonly deadLetters: string;
  /** Name of the table of the buyers' records. */
  readonly ledger: string;
  /** Name of the table of the self-built login's accounts. */
  readonly accounts: string;
  /** Where the service keeps roles at Auth0, and how new buyers get in: its parameters `access` and `gettingIn`. */
  readonly access: RolesPlace;
  readonly gettingIn: "invite" | "passwordless" | "none";
  /** Null on AWS. */
  readonly emulators: Emulators | null;
  /** The time that its functions go by (epoch ms): the local stack's can be moved ahead. */
  readonly now: () => number;
  /** Ends the connections. */
  close(): void;
}
