import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as z from "zod";

import type { Stack } from "../../local/stack.ts";
import { startLocal } from "../pipeline/local-stack.ts";

const Outcome = z.object({ sales: z.array(z.looseObject({ id: z.string() })),
  subscribers: z.array(z.looseObject({ id: z.string() })),
  pings: z.array(z.object({ event: z.string(), outcome: z.unknown() })) });

describe("what happens in the shop of npm start", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startLocal();
  });
  afterAll(() => stack.stop());

  const act = async (name: string, body: unknown) => {
    const answer = await fetch(`${stack.gumroad.url}/_emulator/acts/${name}`, { method: "POST",
      body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    const outcome = Outcome.parse(await answer.json());
    await stack.sqs.idle();
    return { ...outcome, sale: outcome.sales[0]?.id, subscription: outcome.subscribers[0]?.id,
      told: outcome.pings.map(({ event, outcome: status }) => `${event} ${String(status)}`) };
  };

  it("is told to the service once, and gives and takes roles", async () => {
    const { sale, told } = await act("sell", { product: "serverless-handbook", email: "ann@example.com" });
    expect(told).toEqual(["sale 200"]);
    expect(stack.auth0.rolesOfEmail("ann@example.com")).toEqual(["serverless-handbook"]);
    await act("dispute", { sale });
    expect(stack.auth0.rolesOfEmail("ann@example.com")).toEqual([]);
    await act("disputeWon", { sale });
    expect(stack.auth0.rolesOfEmail("ann@example.com")).toEqual(["serverless-handbook"]);
    await act("refund", { sale });
    expect(stack.auth0.rolesOfEmail("ann@example.com")).toEqual([]);
  });

  it("goes on with time: a membership renews, and ends when it was cancelled for", async () => {
    const { subscription } = await act("sell", { product: "proclub", email: "eve@example.com", tier: "Premium" });
    await stack.advance(32 * 86_400_000);
    await stack.sqs.idle();
    expect(stack.gumroad.posts.slice(-2).map(({ event, outcome }) => `${event} ${String(outcome)}`)).toEqual([
      "sale 200",
      "sale 200",
    ]);
    await act("cancel", { subscription });
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual(["club", "club-premium"]);
    await stack.advance(32 * 86_400_000);
    await stack.sqs.idle();
    expect(stack.auth0.rolesOfEmail("eve@example.com")).toEqual([]);
  });
});
