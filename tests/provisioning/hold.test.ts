import { readFileSync } from "node:fs";

import { Metrics } from "@aws-lambda-powertools/metrics";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";

import { entitlements } from "../../src/access/entitlements.ts";
import { type Act, type Charge, type Decision, type Source, type SourceId,
  type Sources } from "../../src/access/facts.ts";
import { addFacts } from "../../src/access/merge.ts";
import type { Policy, Product } from "../../src/access/policy.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import { startTables, type Tables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { heldBuyers as heldOf } from "../../cli/ledger/held-buyers.ts";
import { dynamoLosses, setHolders, type Losses } from "../../src/ledger/losses.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import { buyerTag, log } from "../../src/log.ts";
import { keep, release, withHolds, type Decided } from "../../src/provisioning/hold.ts";
import { charge, JAN_5, source } from "../access/purchases.ts";
import { seed } from "../properties/arbitraries.ts";

const HOUR = 60 * 60_000;
/** In this hour as many have lost the club and the book as may: the next loss is held. */
const NOW = JAN_5 + 1_000 * HOUR;
const club: Product = { id: "club", name: "Club", variant: "Tier",
  roles: { Basic: ["club"], Premium: ["club", "premium"] } };
const book: Product = { id: "book", name: "Book", roles: ["reader"] };
const policy = defineProducts([club, book]);

const specs = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter(({ logicalId }) =>
  logicalId === "LedgerTable"
);
const table = specs[0]!.TableName!;
const clientAt = (endpoint: string) =>
  new DynamoDBClient({ endpoint, region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1 });
/** A table that can't be had: whoever gets by with these makes no call. */
const unreachable = dynamoLosses(ledgerTable(clientAt("http://127.0.0.1:1"), "t"));

let tables: Tables;
let losses: Losses;
beforeAll(async () => {
  tables = await startTables(specs);
  losses = dynamoLosses(ledgerTable(clientAt(tables.url), table));
  await fill("club", NOW);
  await fill("book", NOW);
});
afterAll(async () => {
  await tables.stop();
});
let count = 0;
/** The first moment of an hour in which nobody has lost anything yet. */
let quiet: number;
let errors: unknown[][];
beforeEach(() => {
  count += 1;
  quiet = NOW + count * 100 * HOUR;
  errors = [];
  jest.spyOn(log, "error").mockImplementation((...line) => void errors.push(line));
});
afterEach(() => {
  jest.restoreAllMocks();
});

const email = (index: number) => `buyer${String(index)}-${String(count)}@example.com`;
const MEMBER: SourceId = "subscription:m1";
const SALE: SourceId = "sale:s1";
const member = (changes: Partial<Source> = {}, charged: Partial<Charge> = {}) =>
  source("club", [charge({ variants: [["Tier", "Premium"]], recurrence: "monthly", ...charged })], changes);
const sale = (changes: Partial<Charge> = {}) => source("book", [charge(changes)]);
const ended = { at: NOW - HOUR, reason: "cancelled" } as const;
const act = (decision: Decision, at = NOW): Act => ({ at, id: `a${String(at)}`, by: "ann", why: "asked", decision });

interface At {
  readonly policy?: Policy;
  readonly now?: number;
  readonly losses?: Losses;
}

/** What comes of a record once these facts are all that is known. */
function work(record: BuyerRecord, sources: Sources, at: At = {}): Promise<Decided> {
  const now = at.now ?? NOW;
  return withHolds({ ...record, sources }, entitlements(sources, at.policy ?? policy, now), {
    losses: at.losses ?? losses,
    now: () => now,
  });
}

/** A buyer who holds what these sources give. */
async function holder(index: number, sources: Sources): Promise<BuyerRecord> {
  return (await work(newRecord(email(index)), sources, { losses: unreachable })).record;
}

/** Holders 0 up to `count` come to have other facts, one after the other. */
async function each(count: number, before: Sources, after: Sources, at: At = {}): Promise<Decided[]> {
  const decided: Decided[] = [];
  for (let index = 0; index < count; index += 1) decided.push(await work(await holder(index, before), after, at));
  return decided;
}

/** Lets as many others lose a product in this hour as may. */
async function fill(productId: string, now: number): Promise<void> {
  await Promise.all(
    Array.from({ length: 25 }, (_, index) => losses.permit(productId, `filler${String(index)}@example.com`, now)),
  );
}

async function heldMember(): Promise<Decided> {
  return work(await holder(0, { [MEMBER]: member() }), { [MEMBER]: member({ ended }) });
}

/** The buyers of this test on the list. */
async function heldBuyers(productId: string): Promise<string[]> {
  const held = await heldOf(ledgerTable(clientAt(tables.url), table), productId);
  return held.filter((one) => one.endsWith(`-${String(count)}@example.com`));
}

describe("the hold on mass loss", () => {
  it("lets 25 of 26 ends go among 30 holders and holds 1; another product is untouched", async () => {
    await setHolders(ledgerTable(clientAt(tables.url), table), "club", 30);
    const decided = await each(26, { [MEMBER]: member() }, { [MEMBER]: member({ ended }) }, { now: quiet });
    expect(
      decided.slice(0, 25).every(({ roles, record }) => roles.length === 0 && Object.keys(record.gave).length === 0),
    ).toBe(true);
    expect(decided[25]).toMatchObject({ roles: ["club", "premium"],
      record: { gave: { [MEMBER]: ["club", "premium"] }, held: { [MEMBER]: quiet } } });
    expect(await heldBuyers("club")).toEqual([email(25)]);

    const reader = await work(await holder(30, { [SALE]: sale() }), { [SALE]: sale() }, {
      policy: defineProducts([club]),
      now: quiet,
    });
    expect(reader).toMatchObject({ roles: [], record: { held: {} } });
    expect(await heldBuyers("book")).toEqual([]);
  });

  it("lets 50 of 51 go among 1,000 holders", async () => {
    await setHolders(ledgerTable(clientAt(tables.url), table), "big", 1_000);
    const big = defineProducts([{ ...club, id: "big" }]);
    const joined = { ...member(), productId: "big" };
    const left: Decided[] = [];
    for (let index = 0; index < 51; index += 1) {
      const { record } = await work(newRecord(email(index)), { [MEMBER]: joined }, { policy: big,
        losses: unreachable });
      left.push(await work(record, { [MEMBER]: { ...joined, ended } }, { policy: big }));
    }
    expect(left.filter(({ roles }) => roles.length === 0)).toHaveLength(50);
    expect(left[50]?.record.held).toEqual({ [MEMBER]: NOW });
  });

  it("tells a person once, with a metric and no email", async () => {
    const metric = jest.spyOn(Metrics.prototype, "addMetric");
    const { record } = await heldMember();
    await work(record, record.sources);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toEqual([expect.stringContaining("removals are held"),
      expect.objectContaining({ buyer: buyerTag(email(0)), product: "club" })]);
    expect(JSON.stringify(errors)).not.toContain("@");
    expect(metric.mock.calls).toEqual([["Held", "Count", 1]]);
  });

  it("asks the ledger nothing for a buyer who loses nothing", async () => {
    const { record } = await work(newRecord(email(0)), { [MEMBER]: member({}, { variants: [["Tier", "Basic"]] }) }, {
      losses: unreachable,
    });
    expect(record.gave).toEqual({ [MEMBER]: ["club"] });
    expect(await work(record, { [MEMBER]: member(), [SALE]: sale() }, { losses: unreachable })).toMatchObject({
      roles: ["club", "premium", "reader"],
    });
  });

  it("counts no loss while another source gives the same roles", async () => {
    const both = { [MEMBER]: member(), "subscription:m2": member() };
    const left = await work(await holder(0, both), { ...both, [MEMBER]: member({ ended }) }, { losses: unreachable });
    expect(left).toMatchObject({ roles: ["club", "premium"],
      record: { gave: { "subscription:m2": ["club", "premium"] }, held: {} } });
  });

  it("fails for a while where it can't count: nobody loses uncounted", async () => {
    await expect(
      work(await holder(0, { [MEMBER]: member() }), { [MEMBER]: member({ ended }) }, { losses: unreachable }),
    ).rejects.toMatchObject({ code: "LEDGER_UNREACHABLE" });
  });
});

describe("what counts as a loss", () => {
  it.each<{ loss: string; before: Sources; after: Sources; edited?: Policy; kept: readonly string[] }>([
    { loss: "an end", before: { [MEMBER]: member() }, after: { [MEMBER]: member({ ended }) },
      kept: ["club", "premium"] },
    { loss: "an end that the API tells", before: { [MEMBER]: member() },
      after: { [MEMBER]: member({ read: { at: NOW, ended } }) }, kept: ["club", "premium"] },
    { loss: "an end whose dispute was won", before: { [MEMBER]: member() },
      after: { [MEMBER]: member({ ended }, { disputed: true, disputeWon: true }) }, kept: ["club", "premium"] },
    { loss: "a product taken out of the policy", before: { [SALE]: sale() }, after: { [SALE]: sale() },
      edited: defineProducts([club]), kept: ["reader"] },
    { loss: "an option that the policy gives less for", before: { [MEMBER]: member() }, after: { [MEMBER]: member() },
      edited: defineProducts([{ ...club, roles: { Premium: ["premium", "vip"] } }]),
      kept: ["club", "premium", "vip"] },
    { loss: "a running membership with one charge refunded whose product left the policy",
      before: { [MEMBER]: member() }, after: { [MEMBER]: member({}, { refunded: true }) },
      edited: defineProducts([book]), kept: ["club", "premium"] },
  ])("$loss does", async ({ before, after, edited = policy, kept }) => {
    const decided = await work(await holder(0, before), after, { policy: edited });
    expect(decided.roles).toEqual(kept);
    expect(Object.keys(decided.record.held)).toEqual(Object.keys(before));
  });

  it.each<{ loss: string; before: Sources; after: Sources; edited?: Policy }>([
    { loss: "a refund", before: { [SALE]: sale() }, after: { [SALE]: sale({ refunded: true }) } },
    { loss: "a refund that the API tells", before: { [SALE]: sale() },
      after: {
        [SALE]: sale({
          read: { at: NOW, refunded: true, partlyRefunded: false, disputed: false, disputeWon: false, variants: [],
            bundle: "none" },
        }),
      } },
    { loss: "a dispute", before: { [SALE]: sale() }, after: { [SALE]: sale({ disputed: true }) } },
    { loss: "an end with its newest charge refunded", before: { [MEMBER]: member() },
      after: { [MEMBER]: member({ ended }, { refunded: true }) } },
    { loss: "an end with its newest charge disputed", before: { [MEMBER]: member() },
      after: { [MEMBER]: member({ ended }, { disputed: true }) } },
    { loss: "a refunded sale of a product out of the policy", before: { [SALE]: sale() },
      after: { [SALE]: sale({ refunded: true }) }, edited: defineProducts([club]) },
    { loss: "an operator's taking", before: { [SALE]: sale() },
      after: { [SALE]: { ...sale(), act: act({ kind: "take" }) } } },
    { loss: "an operator's moving", before: { [SALE]: sale() },
      after: { [SALE]: { ...sale(), act: act({ kind: "move", to: email(1) }) } } },
    { loss: "a role given for nothing that expires",
      before: { ["grant:vip"]: { ...source("", []), act: act({ kind: "give", until: null }) } },
      after: { ["grant:vip"]: { ...source("", []), act: act({ kind: "give", until: NOW }) } } },
  ])("$loss doesn't, in any number", async ({ before, after, edited = policy }) => {
    const decided = await each(30, before, after, { policy: edited, losses: unreachable });
    expect(decided.every(({ roles, record }) => roles.length === 0 && Object.keys(record.held).length === 0)).toBe(
      true,
    );
  });

  it("an older refund doesn't make an end one that is not counted", async () => {
    const charges = [charge({ saleId: "s1", variants: [["Tier", "Premium"]], refunded: true }),
      charge({ saleId: "s2", soldAt: JAN_5 + HOUR, variants: [["Tier", "Premium"]] })];
    const decided = await work(await holder(0, { [MEMBER]: source("club", charges) }), {
      [MEMBER]: source("club", charges, { ended }),
    });
    expect(decided.record.held).toEqual({ [MEMBER]: NOW });
  });

  it("the same buyer counts once: redelivered after a crash, and with two sources of the product", async () => {
    const two = { [MEMBER]: member(), "subscription:m2": member() };
    const gone = { [MEMBER]: member({ ended }), "subscription:m2": member({ ended }) };
    const stored = await holder(0, two);
    for (let delivery = 0; delivery < 3; delivery += 1) {
      expect((await work(stored, gone, { now: quiet })).roles).toEqual([]);
    }
    const others = await Promise.all(
      Array.from({ length: 30 }, (_, index) => losses.permit("club", email(index + 1), quiet)),
    );
    expect(others.filter((permitted) => permitted)).toHaveLength(24);
  });

  it("is held from the first buyer on where the policy lists no name of an option, and until it does", async () => {
    const renamed = defineProducts([{ ...club, roles: { Starter: ["club"] } }]);
    const stored = await holder(0, { [MEMBER]: member() });
    const decided = await work(stored, { [MEMBER]: member() }, { now: quiet, policy: renamed });
    expect(decided).toMatchObject({ roles: ["club", "premium"], record: { held: { [MEMBER]: quiet } } });
    const also = defineProducts([{ ...club, roles: { Starter: { roles: ["club", "premium"], also: ["Premium"] } } }]);
    expect((await work(decided.record, { [MEMBER]: member() }, { policy: also })).record.held).toEqual({});
  });

  it("is held where the grant ends that gave the same while the policy lists no name of the option", async () => {
    const renamed = defineProducts([{ ...club, roles: { Starter: ["club"] } }]);
    const given = { ...source("", []), act: act({ kind: "give", until: quiet + HOUR }) };
    const both = { [MEMBER]: member(), "grant:club": given, "grant:premium": given };
    const { record } = await work(await holder(0, both), both, { now: quiet, policy: renamed });
    expect(record.held).toEqual({});
    const over = await work(record, both, { now: quiet + HOUR, policy: renamed });
    expect(over).toMatchObject({ roles: ["club", "premium"], record: { held: { [MEMBER]: quiet + HOUR } } });
  });

  it("the next hour counts anew", async () => {
    const decided = await work(await holder(0, { [MEMBER]: member() }), { [MEMBER]: member({ ended }) }, {
      now: quiet,
    });
    expect(decided).toMatchObject({ roles: [], record: { held: {} } });
  });
});

describe("a held buyer", () => {
  it("stays held in the next hour, without being asked about again", async () => {
    const { record } = await heldMember();
    const counted = async () => (await tables.items(table)).filter(({ pk }) => pk === "losses#club");
    const before = await counted();
    expect(await work(record, record.sources, { now: quiet })).toMatchObject({ record, roles: ["club", "premium"] });
    expect(await counted()).toEqual(before);
  });

  it("is listed again if a crash came before the list was written", async () => {
    const { record } = await heldMember();
    await losses.noteReleased("club", record.email);
    await work(record, record.sources);
    expect(await heldBuyers("club")).toEqual([email(0)]);
  });

  it("still gets what they buy", async () => {
    const { record } = await heldMember();
    expect(await work(record, { ...record.sources, [SALE]: sale() })).toMatchObject({
      roles: ["club", "premium", "reader"],
      record: { gave: { [MEMBER]: ["club", "premium"], [SALE]: ["reader"] }, held: { [MEMBER]: NOW } },
    });
  });

  it("is no longer held once the source gives its roles again", async () => {
    const { record } = await heldMember();
    const restarted = await work(record, { [MEMBER]: member({ ended, restartedAt: NOW }) });
    expect(restarted).toMatchObject({ roles: ["club", "premium"], record: { held: {} } });
    expect(await heldBuyers("club")).toEqual([]);
  });

  it("stays held while only another source gives the roles: that one may be refunded", async () => {
    const { record } = await heldMember();
    const { record: bought } = await work(record, { ...record.sources, "subscription:m2": member() });
    expect(bought.held).toEqual({ [MEMBER]: NOW });
    const refunded = await work(bought, { ...record.sources,
      "subscription:m2": member({ ended }, { refunded: true }) });
    expect(refunded).toMatchObject({ roles: ["club", "premium"], record: { held: { [MEMBER]: NOW } } });
  });

  it.each<{ loss: string; after: Source }>([
    { loss: "refunded", after: member({ ended }, { refunded: true }) },
    { loss: "disputed", after: member({ ended }, { disputed: true }) },
    { loss: "taken by an operator", after: member({ ended, act: act({ kind: "take" }) }) },
  ])("loses the roles when $loss, and is off the list", async ({ after }) => {
    const { record } = await heldMember();
    const lost = await work(record, { [MEMBER]: after });
    expect(lost.roles).toEqual([]);
    expect(lost.record).toMatchObject({ gave: {}, held: {} });
    expect(await heldBuyers("club")).toEqual([]);
  });

  it("stays on the list while another source of the product is held", async () => {
    const gone = { [MEMBER]: member({ ended }), "subscription:m2": member({ ended }) };
    const { record } = await work(await holder(0, { [MEMBER]: member(), "subscription:m2": member() }), gone);
    const refunded = await work(record, { ...gone, [MEMBER]: member({ ended }, { refunded: true }) });
    expect(refunded).toMatchObject({ roles: ["club", "premium"], record: { held: { "subscription:m2": NOW } } });
    expect(await heldBuyers("club")).toEqual([email(0)]);
  });
});

describe("a person's decision", () => {
  it("to release lets the roles go, without counting", async () => {
    const { record } = await heldMember();
    const released = release(record, "club");
    expect(released).toMatchObject({ gave: {}, held: {} });
    expect(await work(released, released.sources, { losses: unreachable })).toMatchObject({ roles: [],
      record: { gave: {}, held: {} } });
  });

  it("to release leaves what the source still gives", async () => {
    const edited = defineProducts([{ ...club, roles: { Premium: ["club"] } }]);
    const { record } = await work(await holder(0, { [MEMBER]: member() }), { [MEMBER]: member() }, { policy: edited });
    const released = release(record, "club");
    expect(await work(released, released.sources, { policy: edited, losses: unreachable })).toMatchObject({
      roles: ["club"],
      record: { gave: { [MEMBER]: ["club"] }, held: {} },
    });
  });

  it("to release leaves alone what only a later version knows", async () => {
    const { record } = await heldMember();
    const later = { ["order:of later"]: ["reader"] };
    const both = { ...record, gave: { ...record.gave, ...later }, held: { ...record.held, ["order:of later"]: 1 } };
    const released = release(both, "club");
    expect(released).toMatchObject({ gave: later, held: { ["order:of later"]: 1 } });
    expect(await work(released, released.sources, { losses: unreachable })).toMatchObject({ roles: ["reader"],
      record: { gave: later, held: { ["order:of later"]: 1 } } });
  });

  it("to keep gives the roles for good, by an act", async () => {
    const { record } = await heldMember();
    const kept = keep(record, "club", { at: NOW, id: "k1", by: "ann", why: "wrong file" });
    expect(kept.sources[MEMBER]).toEqual({ ...record.sources[MEMBER],
      act: { at: NOW, id: "k1", by: "ann", why: "wrong file", decision: { kind: "give", until: null } } });
    expect(await work(kept, kept.sources, { now: quiet })).toMatchObject({ roles: ["club", "premium"],
      record: { held: {} } });
    expect(await heldBuyers("club")).toEqual([]);
  });

  it("to keep what the policy gives no more leaves it held", async () => {
    const edited = defineProducts([club]);
    const { record } = await work(await holder(0, { [SALE]: sale() }), { [SALE]: sale() }, { policy: edited });
    const kept = keep(record, "book", { at: NOW, id: "k1", by: "ann", why: "wrong file" });
    expect(await work(kept, kept.sources, { policy: edited, now: quiet })).toMatchObject({ roles: ["reader"],
      record: { held: { [SALE]: NOW } } });
  });

  it("yields to an operator's newer act", async () => {
    const { record } = await heldMember();
    const taken = addFacts(record.sources, MEMBER, { ...source("club", []), act: act({ kind: "take" }, NOW + 1) });
    expect(keep({ ...record, sources: taken }, "club", { at: NOW, id: "k1", by: "ann", why: "" }).sources[MEMBER]?.act
      ?.decision).toEqual({ kind: "take" });
  });

  it("about a product of which nothing is held changes nothing", async () => {
    const { record } = await heldMember();
    expect(release(record, "book")).toEqual(record);
    expect(keep(record, "book", { at: NOW, id: "k1", by: "ann", why: "" })).toEqual(record);
  });
});

/** What may happen to a buyer from one time to the next. */
const anyStep = fc.record({ id: fc.constantFrom<SourceId>(MEMBER, "subscription:m2", SALE),
  happens: fc.constantFrom("bought", "ended", "restarted", "refunded", "taken", "given", "follows"),
  edited: fc.boolean(), hours: fc.integer({ min: 0, max: 2 }) });
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function factsOf({ id, happens }: Step, now: number): Source {
  const bought = id === SALE
    ? sale({ refunded: happens === "refunded" })
    : member({}, { refunded: happens === "refunded" });
  switch (happens) {
    case "ended":
      return id === SALE ? bought : { ...bought, ended: { at: now, reason: "failed_payment" } };
    case "restarted":
      return id === SALE ? bought : { ...bought, restartedAt: now };
    case "taken":
      return { ...bought, act: act({ kind: "take" }, now) };
    case "given":
      return { ...bought, act: act({ kind: "give", until: now + 2 * HOUR }, now) };
    case "follows":
      return { ...bought, act: act({ kind: "follow" }, now) };
    case "bought":
    case "refunded":
      return bought;
  }
}

it(
  "never takes a role that the facts give, never gives one that no source gave, and repeats itself " +
    `(seed ${String(seed)})`,
  async () => {
    const edited = defineProducts([{ ...club, roles: { Basic: ["club"], Premium: ["club", "vip"] } }]);
    await fill("club", NOW + 3 * HOUR);
    let buyers = 0;
    let holds = 0;
    await fc.assert(fc.asyncProperty(fc.array(anyStep, { minLength: 4, maxLength: 10 }), async (steps) => {
      buyers += 1;
      let record = newRecord(email(buyers));
      let now = NOW;
      for (const step of steps) {
        now += step.hours * HOUR;
        const at = { policy: step.edited ? edited : policy, now };
        const facts = addFacts(record.sources, step.id, factsOf(step, now));
        const access = entitlements(facts, at.policy, now);
        const allowed = new Set([...access.roles, ...Object.values(record.gave).flat()]);
        const decided = await work(record, facts, at);
        expect(decided.roles).toEqual(expect.arrayContaining([...access.roles]));
        expect([...allowed]).toEqual(expect.arrayContaining([...decided.roles]));
        if (Object.keys(decided.record.held).length === 0) expect(decided.roles).toEqual(access.roles);
        else holds += 1;
        expect(await work(decided.record, facts, at)).toEqual(decided);
        record = decided.record;
      }
      const listed = [(await heldBuyers("club")).includes(record.email),
        (await heldBuyers("book")).includes(record.email)];
      const held = ["club", "book"].map((product) =>
        Object.entries(record.sources).some(([id, { productId }]) => productId === product && id in record.held)
      );
      expect(listed).toEqual(held);
    }), { seed, numRuns: 30 });
    expect(holds).toBeGreaterThan(0);
  },
);
