import { readFileSync } from "node:fs";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as z from "zod";

import { CREDENTIALS, REGION } from "../../local/aws/account.ts";
import type { Stack } from "../../local/stack.ts";
import { body, deliver, managementCalls, recordOf, startLocal } from "../pipeline/local-stack.ts";
import { send, workedOff } from "../pipeline/operator-messages.ts";

const fixture = z.object({ items: z.array(z.looseObject({ pk: z.string(), sk: z.string() })),
  users: z.array(
    z.object({ user_id: z.string(), email: z.string(), email_verified: z.boolean(), connection: z.string(),
      roles: z.array(z.string()), app_metadata: z.record(z.string(), z.unknown()) }),
  ) }).parse(JSON.parse(readFileSync("fixtures/ledger/version-0.1.0.json", "utf8")));
const buyers = fixture.items.filter(({ sk }) => sk === "record").map(({ pk }) => pk.slice("buyer#".length));

let stack: Stack;
let dynamo: DynamoDBDocumentClient;

/** Puts an item into the ledger as it is. */
async function put(item: Readonly<Record<string, unknown>>): Promise<void> {
  const table = stack.template.tables.find(({ logicalId }) => logicalId === "LedgerTable")?.TableName;
  await dynamo.send(new PutCommand({ TableName: table, Item: item }));
}

beforeAll(async () => {
  stack = await startLocal();
  dynamo = DynamoDBDocumentClient.from(
    new DynamoDBClient({ endpoint: stack.endpoints.dynamodb, region: REGION, credentials: CREDENTIALS }),
  );
  for (const item of fixture.items) await put(item);
  for (const { user_id: id, email, email_verified: verified, ...user } of fixture.users) {
    stack.auth0.addUser({ ...user, email, verified, ownId: id.slice(id.indexOf("|") + 1) });
  }
});
afterAll(async () => {
  dynamo.destroy();
  await stack.stop();
});

const rolesOfAll = () =>
  Object.fromEntries(fixture.users.map(({ email }) => [email, stack.auth0.rolesOfEmail(email)]));
const look = async (id: string) => {
  for (const buyer of buyers) await send(stack, { v: 1, kind: "due", requestId: id, buyer }, `${id} ${buyer}`);
  await workedOff(stack);
};

describe("a ledger of version 0.1.0", () => {
  it("gives everybody the roles that they had, without a call that changes any", async () => {
    const before = rolesOfAll();
    expect(before).toEqual(Object.fromEntries(fixture.users.map(({ email, roles }) => [email, roles])));
    await look("deployed");
    expect(rolesOfAll()).toEqual(before);
    expect(managementCalls(stack).filter((call) => !call.startsWith("GET "))).toEqual([]);
    expect(await stack.sqs.deadLetters()).toEqual([]);
  });

  it("takes further pings: a refund, a membership's end, a retry", async () => {
    await deliver(stack, body("refund-full"), body("membership-ended"), body("sale-retry"));
    expect(rolesOfAll()).toMatchObject({ "ann@example.com": [], "eve@example.com": [],
      "fay@example.com": ["react-for-dataviz", "serverless-handbook"] });
  });
});

describe("a record of a later version", () => {
  it("keeps what this version doesn't know, at every level, when it is written", async () => {
    const item = fixture.items.find(({ pk, sk }) => pk === "buyer#cy@example.com" && sk === "record");
    const { record } = z.object({
      record: z.looseObject({ users: z.record(z.string(), z.looseObject({})),
        sources: z.record(z.string(), z.looseObject({})) }),
    }).parse(item);
    const later = (part: Record<string, unknown>) => ({ ...part, ofLater: { kept: true } });
    const each = (parts: Record<string, Record<string, unknown>>) =>
      Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, later(part)]));
    await put({ ...item, record: {
      ...later(record),
      users: each(record.users),
      dueAt: 1,
      // A kind of source that this version doesn't know: it can't tell what that gives, and takes nothing.
      sources: each({ ...record.sources, "order:of later": Object.values(record.sources)[0]! }),
      gave: { "order:of later": ["react-for-dataviz"] },
      held: { "order:of later": 1 },
      unsettled: { code: "OF_LATER", message: "", since: 1, attempts: 1, ofLater: { kept: true } },
    } });
    await send(stack, { v: 1, kind: "due", requestId: "later", buyer: "cy@example.com" }, "later");
    await workedOff(stack);
    const kept = { ofLater: { kept: true } };
    const written = await recordOf(stack, "cy@example.com");
    expect(written).toMatchObject({ ...kept, unsettled: null,
      users: Object.fromEntries(Object.keys(record.users).map((id) => [id, kept])),
      sources: Object.fromEntries(Object.keys(record.sources).map((id) => [id, kept])) });
    expect(Object.keys(written?.sources ?? {})).toContain("order:of later");
    expect(written?.held).toEqual({ "order:of later": 1 });
    expect(stack.auth0.rolesOfEmail("cy@example.com")).toEqual(["react-for-dataviz", "serverless-handbook"]);
  });
});
