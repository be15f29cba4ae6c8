import { describe, expect, it } from "@jest/globals";

import { forward } from "../../src/provisioning/owners.ts";
import { readMessage, type Message } from "../../src/queue/message.ts";
import { soldTo } from "../provisioning/pings.ts";

const sale = soldTo("ann@example.com", "s1", "book");

describe("a message of a later version", () => {
  it("keeps the fields that this one doesn't know, also when it is forwarded", async () => {
    const { ping, ...fields } = sale;
    const body = JSON.stringify({ ...fields, unheardOf: 1, ping: { ...ping, unheardOf: { deep: 2 } } });
    const message = readMessage(body);
    expect(JSON.parse(JSON.stringify(message))).toEqual(JSON.parse(body));
    if (message.kind !== "ping") throw new Error("it is a ping");
    const sent: Message[] = [];
    await forward(message, "sale:s1", "bo@example.com", { signal: AbortSignal.timeout(60_000),
      queue: { keep: async () => undefined, retryIn: async () => undefined,
        send: async (sending) => void sent.push(sending) } });
    expect(sent).toMatchObject([{ buyer: "bo@example.com", hops: 1, unheardOf: 1, ping: { unheardOf: { deep: 2 } } }]);
  });

  it("of a kind that this one doesn't know is refused, with its code", () => {
    expect(() => readMessage(JSON.stringify({ ...sale, kind: "of later" }))).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID" }),
    );
  });
});

describe("a message of an earlier version", () => {
  it("that let a ping wait in the queue is that ping, which Gumroad's API may not know three times anew", () => {
    const waiting = { v: 1, requestId: "r", kind: "later", notBefore: 1_772_000_000_000,
      message: { ...sale, misses: 2 } };
    expect(readMessage(JSON.stringify(waiting))).toEqual(sale);
    expect(() => readMessage(JSON.stringify({ ...waiting, message: { ...sale, ping: null } }))).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID" }),
    );
  });
});
