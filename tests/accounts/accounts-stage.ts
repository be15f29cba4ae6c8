/** What the tests of this room stand on: a table in dynalite, a fixed clock, a secret, cheap hashes. */
import { once } from "node:events";

import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";

import type { Secret } from "../../src/config/secret.ts";
import { type AccountsSecret } from "../../src/accounts/accounts-secret.ts";
import { newAccountsSecret } from "../../scripts/new-accounts-secret.ts";
import type { Argon2Cost } from "../../src/accounts/password.ts";

/** 2026-11-22T10:00:00Z. */
export const startOfTests = Date.UTC(2026, 10, 22, 10);

/** A clock that moves when it is told to. */
export class Clock {
  time = startOfTests;

  readonly now = (): number => this.time;

  forward(seconds: number): void {
    this.time += seconds * 1_000;
  }
}

/** As cheap as argon2id gets. */
export const cheapCost: Argon2Cost = { memory: 8, passes: 1, parallelism: 1 };

/** A dynalite of its own, with the accounts table. */
export interface LocalTable {
  readonly client: DynamoDBClient;
  /** For a client of one's own. */
  readonly settings: { readonly endpoint: string; readonly region: string };
  readonly name: string;
  close(): Promise<void>;
}

export async function localTable(): Promise<LocalTable> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("dynalite has no port");
  const settings = { endpoint: `http://127.0.0.1:${String(address.port)}`, region: "eu-central-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" } };
  const client = new DynamoDBClient(settings);
  const name = "accounts";
  await client.send(new CreateTableCommand({ TableName: name, BillingMode: "PAY_PER_REQUEST", AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "S" },
  ], KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ] }));
  await waitUntilTableExists({ client, maxWaitTime: 120, minDelay: 0.02, maxDelay: 0.02 }, { TableName: name });
  return { client, settings, name, close: async () => {
    client.destroy();
    server.close();
    await once(server, "close");
  } };
}

/** A secret that can be changed under a running process, which sees it as one with a cache does. */
export class LocalSecret implements Secret<AccountsSecret> {
  #cached: AccountsSecret;
  #stored: AccountsSecret;
  /** How often the secret was read again. */
  rereads = 0;

  constructor(secret: AccountsSecret) {
    this.#cached = secret;
    this.#stored = secret;
  }

  static async create(): Promise<LocalSecret> {
    return new LocalSecret(await newAccountsSecret());
  }

  get stored(): AccountsSecret {
    return this.#stored;
  }

  /** Changes what is stored. What was read before stays in memory. */
  replace(secret: AccountsSecret): void {
    this.#stored = secret;
  }

  get(): Promise<AccountsSecret> {
    return Promise.resolve(this.#cached);
  }

  reread(): Promise<AccountsSecret> {
    this.rereads += 1;
    this.#cached = this.#stored;
    return Promise.resolve(this.#cached);
  }
}
