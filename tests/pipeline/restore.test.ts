import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, it } from "@jest/globals";

import { CREDENTIALS, REGION } from "../../local/aws/account.ts";
import type { Stack } from "../../local/stack.ts";
import { startLocal } from "./local-stack.ts";
import { workedOff } from "./operator-messages.ts";

const HOUR_MS = 60 * 60_000;
const HANDBOOK = "serverless-handbook";
let stack: Stack;
beforeAll(async () => {
  stack = await startLocal({ readBack: true });
});
afterAll(async () => {
  await stack.stop();
});

/** The ledger as it was: everything else of it is lost. */
async function restore(items: readonly Record<string, unknown>[]): Promise<void> {
  const table = stack.template.tables.find(({ logicalId }) => logicalId === "LedgerTable")?.TableName;
  const dynamo = DynamoDBDocumentClient.from(
    new DynamoDBClient({ endpoint: stack.endpoints.dynamodb, region: REGION, credentials: CREDENTIALS }),
  );
  await stack.forget("LedgerTable");
  for (const item of items) await dynamo.send(new PutCommand({ TableName: table, Item: item }));
  dynamo.destroy();
}

/** What happens in the shop is told, and worked off. */
async function happens(act: () => void): Promise<void> {
  act();
  await stack.gumroad.settled();
  await workedOff(stack);
}

async function sweep(kind: string): Promise<void> {
  expect((await stack.invoke("reconcile", { sweep: kind })).kind).toBe("answer");
  await workedOff(stack);
}

it("a ledger as of an hour ago is right again after a weekly and a daily sweep", async () => {
  const shop = stack.gumroad;
  const sold = new Map<string, string>();
  const sell = (name: string, product = HANDBOOK, tier?: string) =>
    happens(() => {
      const { sale, subscription } = shop.sell({ product, email: `${name}@example.com`,
        ...(tier === undefined ? {} : { tier }) });
      sold.set(name, subscription?.id ?? sale.id);
    });
  await sell("ann");
  await sell("bo");
  await sell("eve", "proclub", "Premium");
  const backup = await stack.ledger();

  await stack.advance(HOUR_MS);
  await happens(() => shop.refund(sold.get("ann") ?? ""));
  await happens(() => shop.end(sold.get("eve") ?? ""));
  await sell("cy");
  const names = ["ann", "bo", "cy", "eve"];
  const roles = () => names.map((name) => stack.auth0.rolesOfEmail(`${name}@example.com`));
  const right = [[], [HANDBOOK], [HANDBOOK], []];
  expect(roles()).toEqual(right);

  await restore(backup);
  // Auth0 knows better than the ledger now; and somebody paid of whom the ledger knows nothing.
  await sweep("weekly");
  await sweep("daily");
  expect(roles()).toEqual(right);
  await happens(() => shop.refund(sold.get("cy") ?? ""));
  expect(roles()).toEqual([[], [HANDBOOK], [], []]);
  expect(stack.auth0.users().map(({ email }) => email).sort()).toEqual(names.map((name) => `${name}@example.com`));
  expect(await stack.sqs.deadLetters()).toEqual([]);
});
