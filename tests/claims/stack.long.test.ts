/** A licence key on the self-built login, over the bundles that deploy, where there is no Auth0 at all. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as z from "zod";

import type { Stack } from "../../local/stack.ts";
import { startLocal } from "../pipeline/local-stack.ts";

const KEY = "0A1B2C3D-4E5F6A7B-8C9D0E1F-2A3B4C5D";
const password = "plum-tree-at-noon";
const tokenShape = z.object({ token: z.string() });

let stack: Stack;
const logged: string[] = [];
beforeAll(async () => {
  stack = await startLocal({ onLog: (_function, line) => logged.push(line), secrets: { auth0: "" } });
});
afterAll(async () => stack.stop());

const call = async (path: string, body: unknown, token?: string) => {
  const answer = await fetch(`${stack.url}${path}`, { method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: answer.status, body: await answer.json() };
};
const logIn = async (username: string) => tokenShape.parse((await call("/login", { username, password })).body).token;
const renewed = async (token: string) => tokenShape.parse((await call("/verify", { token })).body).token;

/** Waits until a purchase is in its buyer's record. Auth0 can't be asked, so the queue is never empty. */
async function untilKnown(isKnown: (record: string) => boolean): Promise<void> {
  for (;;) {
    const records = (await stack.ledger()).filter(({ sk }) => sk === "record").map((item) => JSON.stringify(item));
    if (records.some(isKnown)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("a licence key on the self-built login", () => {
  it("opens what was bought until it is refunded, for one account, and is kept nowhere", async () => {
    const { sale } = stack.gumroad.sell({ product: "serverless-handbook", email: "ann@example.com",
      ids: { licenseKey: KEY } });
    await untilKnown((record) => record.includes(sale.id));
    const [cy, di] = [await logIn("cy"), await logIn("di")];
    expect((await call("/private/serverless-handbook", undefined, cy)).status).toBe(403);

    expect(await call("/claim", { licenseKey: KEY }, cy)).toEqual({ status: 202, body: { status: "received" } });
    await untilKnown((record) => record.includes('"name:cy"'));
    expect(await call("/claim", { licenseKey: KEY.toLowerCase() }, di)).toEqual({ status: 202,
      body: { status: "received" } });
    await untilKnown((record) => record.includes('"name:di"'));

    const open = await renewed(cy);
    expect(await call("/private/serverless-handbook", undefined, open)).toMatchObject({ status: 200,
      body: { message: "Hello cy", lesson: expect.any(Array) } });
    expect((await call("/private/serverless-handbook", undefined, await renewed(di))).status).toBe(403);
    expect((await call("/claim", undefined, open)).body).toMatchObject({
      requests: [{ product: "Serverless Handbook" }],
    });
    expect((await call("/claim", undefined, di)).body).toEqual({ requests: [], links: [] });
    expect((await call("/claim", { licenseKey: "no-such-key" }, di)).status).toBe(202);

    stack.gumroad.refund(sale);
    await untilKnown((record) => record.includes('"refunded":true'));
    expect((await call("/private/serverless-handbook", undefined, await renewed(open))).status).toBe(403);

    const kept = JSON.stringify([logged, await stack.ledger(), await stack.items("AccountsTable"),
      await stack.sqs.inspect("ProvisionQueue"), await stack.sqs.deadLetters()]);
    expect(kept.toUpperCase()).not.toContain(KEY.slice(0, 17));
    expect(logged.length).toBeGreaterThan(5);
  });
});
