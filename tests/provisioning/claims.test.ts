import { beforeEach, describe, expect, it } from "@jest/globals";

import type { Claimant, Source, Sources } from "../../src/access/facts.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import type { DirectoryUser } from "../../src/auth0/directory.ts";
import { newRecord, openClaims, recordShape, type BuyerRecord } from "../../src/ledger/record.ts";
import { movedAlong } from "../../src/provisioning/acts.ts";
import { mergeClaim } from "../../src/provisioning/claims.ts";
import type { Provisioning } from "../../src/provisioning/context.ts";
import type { MessageOf, Message } from "../../src/queue/message.ts";
import { act, charge, JAN_5, reading, source } from "../access/purchases.ts";
import { never, uncalled } from "./uncalled.ts";

const OWNER = "ann@example.com";
const BO = "email:bo@example.com";
const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }, { id: "all", name: "All",
  contains: ["book"] }, { id: "kept", name: "Kept", roles: ["reader"], onRefund: "keep" }, { id: "kept all",
  name: "Kept all", contains: ["book"], onRefund: "keep" }, { id: "club", name: "Club", roles: ["member"],
  onEnd: { graceDays: 3 } }]);
const book: Sources = { "sale:s1": source("book", [charge()]) };

/** The Auth0 users with the owner's email. */
let users: DirectoryUser[] = [];
let owner: string | null = OWNER;
let waiting: Source | null = null;
let wasMoved = false;
let moves: string[] = [];
let sent: Message[] = [];
let remembered: unknown[] = [];
beforeEach(() => {
  [users, owner, waiting, wasMoved, moves, sent, remembered] = [[], OWNER, null, false, [], [], []];
});

const user = (changes: Partial<DirectoryUser> = {}): DirectoryUser => ({ id: "auth0|ann", verified: true,
  createdByUs: true, database: "db", createdAt: 0, hasLoggedIn: false, metadataRoles: [], ...changes });

const { ledger } = uncalled.store;
const work: Provisioning = { ...uncalled,
  store: { ...uncalled.store,
    ledger: { ...ledger, owner: async () => owner, claim: async () => ({ owner, waiting, wasMoved }),
      move: async (id, from, to) => void moves.push(`${id} from ${from} to ${to}`),
      remember: async (_subject, event) => void remembered.push(event) } },
  auth0: { ...uncalled.auth0, find: async () => users },
  queue: { ...uncalled.queue, send: async (message) => void sent.push(message) }, policy, now: () => JAN_5 + 1_000 };

const owned = (sources: Sources, changes: Partial<BuyerRecord> = {}): BuyerRecord => ({ ...newRecord(OWNER), sources,
  ...changes });
const shown = (by: Claimant, changes: Partial<MessageOf<"claim">> = {}): MessageOf<"claim"> => ({ v: 1, kind: "claim",
  requestId: "r", buyer: OWNER, hops: 0, saleId: "s1", by, at: JAN_5 + 500, decided: null, ...changes });
const claimed = async (...args: Parameters<typeof mergeClaim>): Promise<BuyerRecord> => {
  const record = await mergeClaim(...args);
  if (record === null) throw new Error("it went to another buyer");
  return movedAlong(record, args[0], "r", args[2]);
};
const states = (record: BuyerRecord) =>
  (record.claims ?? []).map((claim) => `${claim.source} ${claim.by} ${claim.state}`);

describe("a licence key shown by an email at Auth0", () => {
  it("moves a purchase whose buyer never logged in, as an operator moves one", async () => {
    users = [user()];
    const record = await claimed(
      owned(book, { users: { "auth0|ann": { origin: "created", foreign: [], roles: {} } } }),
      shown(BO),
      work,
    );

    expect(moves).toEqual([`sale:s1 from ${OWNER} to bo@example.com`]);
    expect(sent).toMatchObject([{ kind: "moved", buyer: "bo@example.com", from: OWNER, source: "sale:s1" }]);
    expect(record.sources["sale:s1"]?.act?.decision).toEqual({ kind: "move", to: "bo@example.com" });
    expect(states(record)).toEqual([`sale:s1 ${BO} granted`]);
  });

  it("goes on with a move that was stopped in between, whatever came meanwhile", async () => {
    [owner, users] = ["bo@example.com", [user({ hasLoggedIn: true })]];
    const record = await claimed(owned(book), shown(BO), work);
    expect(moves).toEqual([`sale:s1 from ${OWNER} to bo@example.com`]);
    expect(states(record)).toEqual([`sale:s1 ${BO} granted`]);
  });

  it("moves what was bought with it, too", async () => {
    const bundle: Sources = { "sale:s1": source("all", [charge({ read: reading(1, { bundle: "bundle" }) })]),
      "sale:c1": source("book", [charge({ saleId: "c1", priceCents: 0, read: reading(1, { bundle: "child" }) })]) };
    await claimed(owned(bundle), shown(BO, { saleId: "c1" }), work);
    expect(moves.sort()).toEqual([`sale:c1 from ${OWNER} to bo@example.com`,
      `sale:s1 from ${OWNER} to bo@example.com`]);
  });

  it.each<{ why: string; sources?: Sources; changes?: Partial<BuyerRecord>; found?: DirectoryUser[] }>([
    { why: "a user of the buyer's has logged in", found: [user({ hasLoggedIn: true })] },
    { why: "a user of the buyer's has another email by now, so that nobody knows",
      changes: { users: { "auth0|old": { origin: "created", foreign: [], roles: {} } } } },
    { why: "an operator acted on it",
      sources: { "sale:s1": source("book", [charge()], { act: act(0, { kind: "follow" }) }) } },
    { why: "it was refunded", sources: { "sale:s1": source("book", [charge({ refunded: true })]) } },
    { why: "it is disputed", sources: { "sale:s1": source("book", [charge({ disputed: true })]) } },
    { why: "it was refunded, and the policy lets it be kept",
      sources: { "sale:s1": source("kept", [charge({ refunded: true })]) } },
    { why: "what it came with was refunded, and the policy lets it be kept",
      sources: { "sale:s1": source("book", [charge({ priceCents: 0, read: reading(1, { bundle: "child" }) })]),
        "sale:b1": source("kept all", [
          charge({ saleId: "b1", read: reading(1, { bundle: "bundle", refunded: true }) }),
        ]) } },
    { why: "the membership has ended, and is in its days of grace", sources: { "subscription:m1": source("club", [
      charge({ recurrence: "monthly" }),
    ], { ended: { at: JAN_5 + 900, reason: "cancelled" } }) } },
    { why: "its loss is held", changes: { held: { "sale:s1": 1 } } },
    { why: "an account has it", changes: { claims: [{ source: "sale:s1", by: "name:cy", at: 1, state: "granted" }] } },
    { why: "somebody was refused",
      changes: { claims: [{ source: "sale:s1", by: "name:cy", at: 1, state: "refused" }] } },
  ])("is a request where $why", async ({ sources = book, changes = {}, found = [user()] }) => {
    users = found;
    const record = await claimed(owned(sources, changes), shown(BO), work);

    expect([moves, sent]).toEqual([[], []]);
    expect(openClaims(record)).toEqual([{ source: Object.keys(sources)[0], by: BO, at: JAN_5 + 500, state: "asked" }]);
    expect(recordShape.parse(record)).toEqual(record);
  });

  it("is a request where only the membership is known and not its first sale, but of nobody else's", async () => {
    const renewal = charge({ saleId: "renewal", recurring: true, recurrence: "monthly" });
    const membership: Sources = { "subscription:m1": source("club", [renewal]) };
    const record = await claimed(owned(membership), shown(BO, { saleId: "first", under: "subscription:m1" }), work);
    expect(openClaims(record)).toEqual([{ source: "subscription:m1", by: BO, at: JAN_5 + 500, state: "asked" }]);
    expect([moves, sent]).toEqual([[], []]);

    const stranger = owned(membership);
    owner = null;
    expect(await mergeClaim(stranger, shown(BO, { saleId: "first", under: "subscription:m2" }), work)).toBe(stranger);
    expect(await mergeClaim(stranger, shown(BO, { saleId: "first" }), work)).toBe(stranger);
  });

  it("is a request where only a refund of the sale is known", async () => {
    const unsold = owned({ "sale:s1": source("book", [charge({ seen: false })]) });
    expect(states(await claimed(unsold, shown(BO), work))).toEqual([`sale:s1 ${BO} asked`]);
    expect([moves, sent]).toEqual([[], []]);
  });

  it("follows a purchase that moved meanwhile to whom it is by now, where it is a request", async () => {
    const moved = owned({
      "sale:s1": source("book", [charge()], { act: act(0, { kind: "move", to: "x@example.com" }) }),
    });
    owner = "x@example.com";
    const onward = { ...shown(BO), buyer: "x@example.com", hops: 1 };
    expect(await mergeClaim(moved, shown(BO), work)).toBeNull();
    expect(await mergeClaim(newRecord(OWNER), shown(BO), work)).toBeNull();
    expect(sent).toEqual([onward, onward]);
  });

  it("waits for a purchase that is on its way here: it was forwarded, or the ledger says so", async () => {
    await expect(mergeClaim(newRecord(OWNER), shown(BO), work)).rejects.toThrow("aren't here yet");
    await expect(mergeClaim(newRecord(OWNER), shown(BO, { hops: 1 }), work)).rejects.toThrow("aren't here yet");
    const left = owned({
      "sale:s1": source("book", [charge()], { act: act(0, { kind: "move", to: "x@example.com" }) }),
    });
    await expect(mergeClaim(left, shown(BO), work)).rejects.toThrow("aren't here yet");
  });

  it("brings in what is kept apart, as the policy didn't name it before", async () => {
    [users, waiting] = [[user()], source("book", [charge()])];
    const record = await claimed(newRecord(OWNER), shown(BO), work);
    expect(states(record)).toEqual([`sale:s1 ${BO} granted`]);
    expect(record.sources["sale:s1"]?.act?.decision).toEqual({ kind: "move", to: "bo@example.com" });
  });

  it("waits for the move of what an operator moved here, though something was kept apart of it once", async () => {
    [users, waiting, wasMoved] = [[user()], source("book", [charge()]), true];
    await expect(mergeClaim(newRecord(OWNER), shown(BO), work)).rejects.toThrow("aren't here yet");
    await expect(mergeClaim(newRecord(OWNER), shown("name:cy"), work)).rejects.toThrow("aren't here yet");
    expect(moves).toEqual([]);
  });

  it("changes nothing for the buyer's own, for one that isn't here, and the second time", async () => {
    const moved = owned({
      "sale:s1": source("book", [charge()], { act: act(0, { kind: "move", to: "x@example.com" }) }),
    });
    owner = null;
    expect(await claimed(moved, shown(BO), work)).toBe(moved);
    const record = owned(book);
    expect(await claimed(record, shown(`email:${OWNER}`), work)).toBe(record);
    expect(await claimed(record, shown(BO, { saleId: "s2" }), work)).toBe(record);
    for (const state of ["asked", "refused"] as const) {
      const before = owned(book, { claims: [{ source: "sale:s1", by: BO, at: 1, state }] });
      expect(await claimed(before, shown(BO), work)).toBe(before);
    }
    expect([moves, sent, remembered]).toEqual([[], [], []]);
  });
});

describe("a licence key shown by an account of the self-built login", () => {
  it("is granted to the first, and is the second's request; nothing moves, and Auth0 isn't asked", async () => {
    const noAuth0 = { ...work, auth0: { ...work.auth0, find: never } };
    const first = await claimed(owned(book), shown("name:cy"), noAuth0);
    const second = await claimed(first, shown("name:di", { requestId: "r2" }), noAuth0);

    expect(states(second)).toEqual(["sale:s1 name:cy granted", "sale:s1 name:di asked"]);
    expect(second.sources).toEqual(book);
    expect([moves, sent]).toEqual([[], []]);
  });

  it("stays with whom it was granted, and refused to whom it was refused, however many ask after", async () => {
    users = [user()];
    let record = await claimed(owned(book), shown("name:cy"), work);
    record = await claimed(record, shown(BO), work);
    record = await claimed(record, decided(BO, "refused"), work);
    for (let nth = 0; nth < 25; nth += 1) {
      record = await claimed(record, shown(`name:mob${String(nth)}`, { requestId: `mob${String(nth)}` }), work);
    }
    record = await claimed(record, shown(BO, { requestId: "again" }), work);
    expect(states(record).filter((line) => !line.endsWith("asked"))).toEqual(["sale:s1 name:cy granted",
      `sale:s1 ${BO} refused`]);
    expect(openClaims(record).map(({ by }) => by)).toEqual(
      Array.from({ length: 20 }, (_, nth) => `name:mob${String(nth + 5)}`),
    );
    expect(moves).toEqual([]);
  });

  it("has one account a purchase, whichever key of a bundle was shown", async () => {
    const bundle: Sources = { "sale:s1": source("all", [charge({ read: reading(1, { bundle: "bundle" }) })]),
      "sale:c1": source("book", [charge({ saleId: "c1", priceCents: 0, read: reading(1, { bundle: "child" }) })]) };
    const first = await claimed(owned(bundle), shown("name:cy"), work);
    const second = await claimed(first, shown("name:di", { saleId: "c1" }), work);
    expect(states(second)).toEqual(["sale:s1 name:cy granted", "sale:c1 name:di asked"]);
  });
});

const decided = (by: Claimant, state: "granted" | "refused", changes: Partial<MessageOf<"claim">> = {}) =>
  shown(by, { requestId: "cli", decided: { state, by: "dee", why: "asked by mail" }, ...changes });

describe("an operator's decision about a request", () => {
  it("counts by when it was made, however late it comes: the last one stands", async () => {
    const soon = { at: JAN_5 + 100 };
    let record = await claimed(owned(book), shown("name:mob", soon), work);
    for (const [by, state, at] of [["name:cy", "refused", 300], ["name:di", "granted", 400]] as const) {
      record = await claimed(record, shown(by, soon), work);
      record = await claimed(record, decided(by, state, { at: JAN_5 + at }), work);
    }
    expect(states(record).sort()).toEqual(["sale:s1 name:cy refused", "sale:s1 name:di granted",
      "sale:s1 name:mob refused"]);
    for (const by of ["name:cy", "name:mob"] as const) {
      expect(states(await claimed(record, decided(by, "granted", { at: JAN_5 + 200 }), work))).toEqual(states(record));
    }
  });

  it("moves nothing where an operator acted on the purchase since", async () => {
    const record = owned({
      "sale:s1": source("book", [charge()], { act: { ...act(0, { kind: "follow" }), at: JAN_5 + 300 } }),
    }, { claims: [{ source: "sale:s1", by: BO, at: JAN_5, state: "asked" }] });
    expect(states(await claimed(record, decided(BO, "granted", { at: JAN_5 + 100 }), work))).toEqual([
      `sale:s1 ${BO} granted`,
    ]);
    expect([moves, sent]).toEqual([[], []]);
  });

  it("confirmed moves it to an email, whoever logged in, in the operator's name", async () => {
    users = [user({ hasLoggedIn: true })];
    const asked = await claimed(owned(book), shown(BO), work);
    const record = await claimed(asked, decided(BO, "granted"), work);
    expect(moves).toEqual([`sale:s1 from ${OWNER} to bo@example.com`]);
    expect(record.sources["sale:s1"]?.act).toMatchObject({ by: "dee", why: "asked by mail" });
    expect(openClaims(record)).toEqual([]);
  });

  it("confirmed takes it from the account that has it", async () => {
    const both = await claimed(await claimed(owned(book), shown("name:cy"), work), shown("name:di"), work);
    expect(states(await claimed(both, decided("name:di", "granted"), work))).toEqual(["sale:s1 name:cy refused",
      "sale:s1 name:di granted"]);
  });

  it("refused closes it, and who was refused asks in vain", async () => {
    users = [user({ hasLoggedIn: true })];
    const refused = await claimed(await claimed(owned(book), shown(BO), work), decided(BO, "refused"), work);
    expect(states(refused)).toEqual([`sale:s1 ${BO} refused`]);
    expect(await claimed(refused, shown(BO, { requestId: "again" }), work)).toBe(refused);
    expect(moves).toEqual([]);
  });

  it("is in the history, as each showing is", async () => {
    const asked = await claimed(owned(book), shown("name:cy"), work);
    await claimed(asked, decided("name:cy", "refused"), work);
    expect(remembered).toMatchObject([{ id: "claim r", detail: { event: "claim", state: "granted" } }, {
      id: "claim cli",
      detail: { event: "claim", state: "refused", by: "dee", why: "asked by mail" },
    }]);
  });
});
