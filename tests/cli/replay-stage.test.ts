import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { PurgeQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";

import { readLetter, whatIn } from "../../cli/replay/letters.ts";
import type { Stack } from "../../local/stack.ts";
import { LOCAL_TOKEN } from "../../local/known-values.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import { dynamoPending } from "../../src/ledger/pending.ts";
import { newRecord } from "../../src/ledger/record.ts";
import { outsideRolesOf } from "../../src/queue/sender.ts";
import { changed, post } from "../pipeline/local-stack.ts";
import { cliOn, emptied, stageOn, startComplete } from "./local-cli.ts";

const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";

let stack: Stack;
beforeAll(async () => {
  stack = await startComplete();
});
afterAll(() => stack.stop());
beforeEach(async () => {
  await emptied(stack);
  await stageOn(stack).sqs.send(new PurgeQueueCommand({ QueueUrl: stack.queueUrl("DeadLetterQueue") }));
});
const run = (line: string) => cliOn(stack)(line);
const rolesOf = (email: string) => stack.auth0.rolesOfEmail(email);
const sold = (email: string) => stack.gumroad.sell({ product: HANDBOOK, email }).sale;
const codes = async (line: string) =>
  JSON.parse((await run(line)).out).letters.map((
    { code, outcome, what, buyer }: Record<string, string>,
  ) => [code, outcome, what, buyer]);

/** Puts a message into the dead-letter queue as SQS does after ten receives. */
const dead = async (message: object, group = "g") => {
  await stageOn(stack).sqs.send(
    new SendMessageCommand({ QueueUrl: stack.queueUrl("DeadLetterQueue"), MessageBody: JSON.stringify(message),
      MessageGroupId: group, MessageDeduplicationId: crypto.randomUUID() }),
  );
};
const hint = (buyer: string, saleId: string) => ({ v: 1, kind: "hint", requestId: "r", buyer, hops: 3, saleId,
  subscriptionId: null, sweep: "weekly x", foundAt: 1 });

describe("replay --dead-letters", () => {
  it("tells what a buyer's record says of a message that failed ten times", async () => {
    const unsettled = { code: "AUTH0_ROLE_MISSING", message: "Create the role club in Auth0.", since: 1,
      attempts: 10 };
    const { dynamo, ledger } = stageOn(stack);
    await dynamoLedger(ledgerTable(dynamo, ledger)).save({ ...newRecord("ann@example.com"), unsettled,
      dueAt: Date.now() + 3_600_000 });
    await dead({ v: 1, kind: "due", requestId: "r", buyer: "ann@example.com" });
    expect(JSON.parse((await run("replay --dead-letters --dry-run --json")).out).letters).toMatchObject([{
      reason: "It failed ten times within half an hour. AUTH0_ROLE_MISSING: Create the role club in Auth0.",
    }]);
  });

  it("tells what waits for a buyer of whom a message failed ten times, and may have found no room", async () => {
    const { dynamo, ledger } = stageOn(stack);
    const waiting = JSON.stringify({ ...hint("cy@example.com", "s1"), hops: 0 });
    await dynamoPending(ledgerTable(dynamo, ledger)).put("cy@example.com", "one", waiting, Date.now() + 3_600_000);
    await dead(hint("cy@example.com", "s2"));
    expect(JSON.parse((await run("replay --dead-letters --dry-run --json")).out).letters).toMatchObject([{
      reason: "It failed ten times within half an hour. Of what waits for this buyer (1) the oldest: what a sweep " +
        "found of sale:s1 could not be read back from Gumroad, so nothing of it counts yet.",
    }]);
  });

  it("lists what is there and why, and leaves it there, in a dry run", async () => {
    await dead(hint("ann@example.com", "s1"));
    await post(stack, changed("sale", { seller_id: "another", email: "bo@example.com" }));
    await dead({ v: 9 }, "other");
    const { code, out } = await run("replay --dead-letters --dry-run");
    expect(code).toBe(1);
    expect(out).toMatch(/^letter {2,}code {2,}since {2,}what {2,}buyer {2,}outcome {2,}reason\n/);
    expect(out).toMatch(
      /^\S+ +TRIED_TEN_TIMES +[-0-9]{10} [:0-9]+ +hint +ann@\S+ +would be replayed +It failed ten times within .*\.$/m,
    );
    expect(out).toMatch(/Mend the causes, then: npx gumroad-auth0 replay --dead-letters$/);
    const listed = [
      ["PING_OF_ANOTHER_SELLER", "would be replayed", "ping sale", "bo@example.com"],
      ["TRIED_TEN_TIMES", "left", "unusable", null],
      ["TRIED_TEN_TIMES", "would be replayed", "hint", "ann@example.com"],
    ];
    expect((await codes("replay --dead-letters --dry-run --json")).sort()).toEqual(listed);
    expect((await codes("replay --dead-letters --dry-run --json")).sort()).toEqual(listed);
  });

  it("sends nothing in an operator's name that a function had no business to send", () => {
    const roles = outsideRolesOf("ping:AROAPING,bind:AROABIND");
    const decision = JSON.stringify({ v: 1, requestId: "r", kind: "invite", buyer: "eve@example.com", by: "eve",
      why: "" });
    const kept = (code: string) =>
      JSON.stringify({ code, reason: "ping sent it", requestId: "r", body: Buffer.from(decision).toString("base64") });
    const read = (text: string, senderId: string) => readLetter(text, senderId, roles).content.kind;
    expect(["AROAPING:x", "AROABIND:x", "AIDAOPERATOR", "AROAPROVISION:x"].map((sender) => read(decision, sender)))
      .toEqual(["unusable", "unusable", "message", "message"]);
    expect(read(kept("RECORD_FULL"), "AROAPING:x")).toBe("unusable");
    expect(read(kept("RECORD_FULL"), "AROAPROVISION:x")).toBe("message");
    // Whom it names is told all the same.
    const refused = readLetter(decision, "AROAPING:x", roles);
    expect(whatIn(refused)).toEqual({ what: "unusable", buyer: "eve@example.com" });
    // Provision's own letter about what ping sent.
    expect(read(kept("SENDER_NOT_OPERATOR"), "AROAPROVISION:x")).toBe("unusable");
  });

  it("says of what can never be used that it stays, also in a dry run", () => {
    const kept = (code: string, body: string) =>
      readLetter(JSON.stringify({ code, reason: "x", requestId: "r", body: Buffer.from(body).toString("base64") }),
        "AROAPING:x", outsideRolesOf("")).content.kind;
    expect([kept("PING_TOO_LARGE", changed("sale", {})), kept("PING_NOT_A_FORM", '{"a":1}')])
      .toEqual(["unusable", "unusable"]);
    expect([kept("PING_NOT_A_FORM", changed("sale", {})), kept("PING_OF_ANOTHER_SELLER", changed("sale", {}))])
      .toEqual(["ping", "ping"]);
  });

  it("puts messages back into the queue, begun afresh, and all of one buyer's", async () => {
    const [first, second] = [sold("ann@example.com"), sold("bo@example.com")];
    await dead(hint("ann@example.com", first.id));
    await dead({ v: 1, kind: "due", requestId: "r", buyer: "ann@example.com" });
    // To somebody else's group, which forwards it: with its three hops it could not.
    await dead(hint("ann@example.com", second.id));
    expect(await codes("replay --dead-letters --json")).toEqual([
      ["TRIED_TEN_TIMES", "replayed", "hint", "ann@example.com"],
      ["TRIED_TEN_TIMES", "replayed", "due", "ann@example.com"],
      ["TRIED_TEN_TIMES", "replayed", "hint", "ann@example.com"],
    ]);
    await stack.sqs.idle();
    expect([rolesOf("ann@example.com"), rolesOf("bo@example.com")]).toEqual([["serverless-handbook"], [
      "serverless-handbook",
    ]]);
    expect(await run("replay --dead-letters")).toMatchObject({ code: 0, out: "the dead-letter queue is empty" });
  });

  it("posts refused pings to the ping URL once their cause is mended, without the custom fields' names", async () => {
    const { id } = sold("ann@example.com");
    const ping = `${changed("sale", { sale_id: id, email: "ann@example.com" })}&custom_fields%5Bcourse%5D=x`;
    stack.secrets.set("ping", { tokens: [LOCAL_TOKEN], seller_id: "mistyped" });
    await stack.crash("ping");
    expect((await post(stack, ping)).status).toBe(403);
    const since = async () => JSON.parse((await run("replay --dead-letters --dry-run --json")).out).letters[0].since;
    const before = await since();
    expect(await codes("replay --dead-letters --json")).toEqual([["PING_OF_ANOTHER_SELLER", "refused again",
      "ping sale", "ann@example.com"]]);
    expect(await stack.sqs.deadLetters()).toHaveLength(1);
    // A try that failed makes no new letter of it.
    expect(await since()).toBe(before);

    stack.secrets.set("ping", { tokens: [LOCAL_TOKEN], seller_id: stack.gumroad.sellerId });
    await stack.crash("ping");
    const { code } = await run("replay --dead-letters --code PING_OF_ANOTHER_SELLER");
    await stack.sqs.idle();
    expect([code, await stack.sqs.deadLetters(), rolesOf("ann@example.com")]).toEqual([0, [], [
      "serverless-handbook",
    ]]);
  });

  it("takes back only what has the code, and refuses one that nothing has", async () => {
    await dead({ v: 1, kind: "due", requestId: "r", buyer: "ann@example.com" });
    await post(stack, "resource_name=nothing&seller_id=fHis2sbMl3TASuuulQvtoQ==");
    expect(await run("replay --dead-letters --code RECORD_FULL")).toMatchObject({ code: 2,
      err: "gumroad-auth0: the dead-letter queue holds nothing of code RECORD_FULL: only PING_NOT_UNDERSTOOD, " +
        "TRIED_TEN_TIMES" });
    expect(await codes("replay --dead-letters --code TRIED_TEN_TIMES --json")).toEqual([["TRIED_TEN_TIMES", "replayed",
      "due", "ann@example.com"]]);
    expect(await stack.sqs.deadLetters()).toMatchObject([{ code: "PING_NOT_UNDERSTOOD" }]);
  });
});

describe("discard", () => {
  const letters = async () => JSON.parse((await run("replay --dead-letters --dry-run --json")).out).letters;

  it("deletes a letter that can never be used, once somebody said why, and leaves the others", async () => {
    await dead({ v: 9 }, "other");
    await dead({ v: 1, kind: "due", requestId: "r", buyer: "ann@example.com" });
    const { letter } = (await letters()).find(({ outcome }: { outcome: string }) => outcome === "left");
    expect(await run(`discard ${letter}`)).toMatchObject({ code: 2, err: expect.stringContaining("say --yes") });
    expect(await run(`discard ${letter} --yes`)).toMatchObject({ code: 2, err: expect.stringContaining("--why") });
    expect((await run(`discard ${letter} --dry-run`)).out).toMatch(/^unusable, there since .* \(TRIED_TEN_TIMES\)$/);
    expect(await letters()).toHaveLength(2);
    expect(await run(`discard ${letter} --yes --why nobody-knows-it`)).toMatchObject({ code: 0,
      out: expect.stringContaining("done: it is deleted") });
    expect((await letters()).map(({ what }: { what: string }) => what)).toEqual(["due"]);
    expect(await run(`discard ${letter} --yes --why again`)).toMatchObject({ code: 2,
      err: expect.stringContaining(`has no letter ${letter}`) });
  });

  it("keeps a line of it with whom it was about", async () => {
    const { dynamo, ledger } = stageOn(stack);
    await dynamoLedger(ledgerTable(dynamo, ledger)).save({ ...newRecord("ann@example.com") });
    await dead(hint("ann@example.com", "s1"));
    const [{ letter }] = await letters();
    await run(`discard ${letter} --yes --why twice --by rita`);
    expect((await run("explain ann@example.com")).out).toMatch(/discarded.*by rita: twice/);
  });
});

describe("replay --since", () => {
  const minute = (offset: number) => new Date(stack.gumroad.now() + offset * 60_000).toISOString();

  it("has everything read back that the events of a time were about", async () => {
    stack.gumroad.setDeliver("http");
    const [ann] = [sold("ann@example.com"), sold("bo@example.com")];
    await stack.gumroad.settled();
    await stack.sqs.idle();
    stack.gumroad.setDeliver(() => 200);
    stack.gumroad.refund(ann);
    const { code, out } = await run(`replay --since ${minute(-5)} --until ${minute(5)}`);
    await stack.sqs.idle();
    expect({ code, lines: out.split("\n") }).toEqual({ code: 0,
      lines: [expect.stringMatching(/^\S+ \S+ to \S+ \S+: 2 events, about 2 purchases of 2 buyers$/),
        "sent: 2 messages to provision"] });
    expect([rolesOf("ann@example.com"), rolesOf("bo@example.com")]).toEqual([[], ["serverless-handbook"]]);
  });

  it("leaves out what came in before and after, and sends nothing in a dry run", async () => {
    stack.gumroad.setDeliver("http");
    sold("ann@example.com");
    await stack.gumroad.settled();
    await stack.sqs.idle();
    expect(JSON.parse((await run(`replay --since ${minute(-10)} --until ${minute(-5)} --json`)).out)).toMatchObject({
      events: 0,
      buyers: 0,
      sent: 0,
      readBack: true,
    });
    expect(JSON.parse((await run(`replay --since ${minute(-10)} --until ${minute(5)} --dry-run --json`)).out))
      .toMatchObject({ dryRun: true, events: 1, buyers: 1, sent: 0 });
  });
});

describe("replay refuses", () => {
  it.each([
    ["--at-once", "say what to replay, and only one of them: files, --dead-letters, or --since"],
    ["fixtures/pings --dead-letters", "say what to replay, and only one of them: files, --dead-letters, or --since"],
    ["fixtures/pings --code X", "--code chooses among --dead-letters"],
    ["fixtures/pings --dry-run", "files have no --dry-run: posting them is the trial"],
    ["--until 2026-01-01", "--until needs --since"],
    ["--since tomorrow",
      "--since tomorrow is no day (2026-01-31, its beginning in UTC) and no moment (2026-01-31T18:00:00Z)"],
    ["--since 2026-01-02 --until 2026-01-01", "--since 2026-01-02 is not before --until 2026-01-01"],
  ])("%s", async (flags, message) => {
    expect(await run(`replay ${flags}`)).toEqual({ code: 2, out: "", err: `gumroad-auth0: ${message}` });
  });
});
