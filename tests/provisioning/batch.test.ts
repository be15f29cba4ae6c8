import { beforeEach, describe, expect, it } from "@jest/globals";
import type { SQSRecord } from "aws-lambda";

import { provisionBatch } from "../../src/provisioning/batch.ts";
import { storeOn } from "../../src/provisioning/context.ts";
import { nowhere, uncalled } from "./uncalled.ts";

const decision = JSON.stringify({ v: 1, requestId: "r", kind: "invite", buyer: "eve@example.com", by: "eve",
  why: "" });
const letter = (code: string, body: string) =>
  JSON.stringify({ code, reason: "why", requestId: "r", body: Buffer.from(body).toString("base64") });

/** The bodies of what was kept. */
let kept: string[] = [];
beforeEach(() => {
  kept = [];
});

/** Works a message off against a ledger that isn't there: one that is taken on comes back, as it can't be read. */
async function work(body: string, SenderId: string): Promise<{ letters: string[]; back: readonly string[] }> {
  const letters: string[] = [];
  const record: SQSRecord = { messageId: "m", receiptHandle: "h", body, messageAttributes: {}, md5OfBody: "",
    eventSource: "aws:sqs", eventSourceARN: "arn", awsRegion: "eu-west-1",
    attributes: { ApproximateReceiveCount: "1", SentTimestamp: "0", SenderId,
      ApproximateFirstReceiveTimestamp: "0" } };
  const back = await provisionBatch([record], { ...uncalled, store: storeOn(nowhere),
    queue: { send: uncalled.queue.send, retryIn: async () => undefined, keep: async ({ code }, _requestId, text) => {
      letters.push(code);
      kept.push(text);
    } } }, new Map([["AROAPING", "ping"]]));
  return { letters, back };
}

describe("a message of a kind that only a later version knows", () => {
  it("is not acted on, and kept as it is for when that version is back", async () => {
    const body = JSON.stringify({ v: 1, requestId: "r", kind: "of later", buyer: "eve@example.com", unheardOf: 1 });
    expect(await work(body, "AIDAOPERATOR")).toEqual({ letters: ["MESSAGE_INVALID"], back: [] });
    expect(await work(letter("MESSAGE_INVALID", body), "AIDAOPERATOR")).toEqual({ letters: ["MESSAGE_INVALID"],
      back: [] });
    expect(kept).toEqual([body, body]);
  });
});

describe("an operator's decision", () => {
  it("is kept for a person, and not carried out, if ping's role sent it", async () => {
    expect(await work(decision, "AROAPING:gumroad-auth0-prod-ping")).toEqual({ letters: ["SENDER_NOT_OPERATOR"],
      back: [] });
  });

  it("is taken on if an operator sent it, also back from the dead-letter queue", async () => {
    expect(await work(decision, "AIDAOPERATOR")).toEqual({ letters: [], back: ["m"] });
    expect(await work(letter("RECORD_FULL", decision), "AIDAOPERATOR")).toEqual({ letters: [], back: ["m"] });
  });

  it("is not carried out either once what ping's role sent is sent back from the dead-letter queue", async () => {
    expect(await work(letter("SENDER_NOT_OPERATOR", decision), "AIDAOPERATOR")).toEqual({
      letters: ["SENDER_NOT_OPERATOR"],
      back: [],
    });
  });

  it("is none if it is what somebody posted at the ping URL, sent back from the dead-letter queue", async () => {
    expect(await work(letter("PING_NOT_UNDERSTOOD", decision), "AIDAOPERATOR")).toEqual({
      letters: ["PING_NOT_UNDERSTOOD"],
      back: [],
    });
  });
});
