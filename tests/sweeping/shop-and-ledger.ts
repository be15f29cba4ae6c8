import { readFileSync } from "node:fs";

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import { entitlements } from "../../src/access/entitlements.ts";
import { addFacts, mergeSource } from "../../src/access/merge.ts";
import type { Policy } from "../../src/access/policy.ts";
import { startTables } from "../../local/aws/tables.ts";
import { readTemplate } from "../../local/aws/template.ts";
import { startGumroadEmulator } from "gumroad-emulator";
import { FIXTURE_SELLER, LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { gumroadApi } from "../../src/gumroad/api.ts";
import { factsOfSale, factsOfSubscriber, ownerOfRow, sourceOfRow } from "../../src/gumroad/facts.ts";
import type { GumroadCredentials } from "../../src/gumroad/secret.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoLedger } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { dynamoSurvey } from "../../src/ledger/survey.ts";
import { dynamoSweeps } from "../../src/ledger/sweeps.ts";
import policy from "../../fixtures/policy.ts";
import type { BulkMessage } from "../../src/queue/queue.ts";
import { reconcile, type AskedSweep, type Reconciling } from "../../src/sweeping/reconcile.ts";
import { listedRunning } from "../../src/sweeping/running.ts";
import { shopOf } from "../../src/sweeping/shop.ts";

/** When the tests begin (epoch ms): a minute in which the most urgent sweep has the first turn. */
export const START = Date.parse("2026-01-05T19:36:56Z");
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

/** A shop, a ledger, and reconcile between them, whose messages go nowhere but into `sent`. */
export type ShopAndLedger = Awaited<ReturnType<typeof startShopAndLedger>>;

export async function startShopAndLedger() {
  const spec = readTemplate(readFileSync("serverless.yml", "utf8"), { stage: "test" }).tables.filter(({ logicalId }) =>
    logicalId === "LedgerTable"
  );
  const table = spec[0]!.TableName!;
  const tables = await startTables(spec);
  const client = new DynamoDBClient({ endpoint: tables.url, region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 });
  const shop = await startGumroadEmulator({ now: () => START, idSeed: "sweeps" });
  const ledger = dynamoLedger(ledgerTable(client, table));
  const configured = (): GumroadCredentials => ({ token: LOCAL_ACCESS_TOKEN, sellerId: FIXTURE_SELLER,
    api: shop.apiUrl });
  const deadline = new AbortController().signal;

  /** All that `reset` makes anew. */
  let sent: BulkMessage[] = [];
  let depths: number[] = [];
  let waits: number[] = [];
  let holders = new Map<string, number>();
  let failures: string[] = [];
  let surveyed: number[] = [];
  let running = listedRunning();

  const survey = dynamoSurvey(ledgerTable(client, table));
  const get = async () => configured();
  const api = gumroadApi({ secret: { get, reread: get }, onFailure: (code) => failures.push(code) });

  /** Reconciles once, with what a test changes. `credentials` null: no token. */
  const run = async (asked: AskedSweep | null,
    { credentials = configured(), ...changes }: Partial<Reconciling> & {
      readonly credentials?: GumroadCredentials | null;
    } = {}) =>
    reconcile(asked, { ledger, survey: { ...survey, owned: async (ids) => {
      surveyed.push(ids.length);
      return survey.owned(ids);
    } }, sweeps: dynamoSweeps(ledgerTable(client, table), shop.now), setHolders: async (productId, count) => {
      holders.set(productId, count);
    }, queue: { send: async (messages) => {
      sent.push(...messages);
    }, depth: async () => depths.shift() ?? 0 }, running, openShop: shopOf(api, async () => credentials), policy,
      now: shop.now, wait: async (ms) => waits.push(ms), enough: deadline, deadline, requestId: "request",
      ...changes });

  /** Makes the ledger know these sales as a read-back would, with their roles given. */
  const learn = async (saleIds: readonly string[], known: Policy = policy): Promise<void> => {
    for (const saleId of saleIds) {
      const row = await api.sale(saleId, deadline);
      const owner = row === null ? null : ownerOfRow(row);
      if (row === null || owner === null) throw new Error(`the shop doesn't know ${saleId}`);
      const facts = factsOfSale(row, shop.now());
      const subscriber = row.subscriptionId !== null && row.dead
        ? await api.subscriber(row.subscriptionId, deadline)
        : null;
      const whole = subscriber === null ? facts : mergeSource(facts, factsOfSubscriber(subscriber, shop.now()));
      const { owner: buyer } = await ledger.claim(sourceOfRow(row), owner);
      const record = await ledger.load(buyer ?? owner);
      await ledger.save(
        withRoles({ ...record, sources: addFacts(record.sources, sourceOfRow(row), whole) }, known, shop.now()),
      );
    }
  };

  return {
    shop,
    ledger,
    run,
    learn,
    /** Goes on with a sweep until it ends, and gives its last state. */
    finish: async (sweep: AskedSweep["sweep"], changes: Parameters<typeof run>[1] = {}) => {
      let report = await run({ sweep }, changes);
      for (let runs = 1; report.sweeps[0]?.finished === false; runs += 1) {
        if (runs > 100) throw new Error("the sweep never ends");
        report = await run({ sweep, goOn: true }, changes);
      }
      return report.sweeps[0];
    },
    configured,
    /** What Gumroad's API tells of a sale by itself. */
    facts: async (saleId: string) => {
      const row = await api.sale(saleId, deadline);
      if (row === null) throw new Error(`the shop doesn't know ${saleId}`);
      return factsOfSale(row, shop.now());
    },
    /** What went to the queue since last asked: `buyer what`, sorted. */
    sent: () =>
      sent
        .splice(0)
        .map(({ message }) => (message.kind === "due"
          ? `${message.buyer} due`
          : `${message.buyer} ${
            message.saleId === null ? `subscription ${message.subscriptionId ?? ""}` : `sale ${message.saleId}`
          }`)
        )
        .sort(),
    /** The ids of what is in `sent`. */
    ids: () => sent.map(({ id }) => id),
    /** What the queue holds at the next looks; nothing after those. */
    setDepths: (...next: number[]) => {
      depths = next;
    },
    waits: () => waits,
    holders: () => Object.fromEntries([...holders].filter(([, count]) => count > 0)),
    failures: () => failures.splice(0),
    /** How many sources the ledger was asked for, call by call. */
    surveyed: () => surveyed,
    calls: (path: string) => shop.calls.filter((call) => call.path === path).length,
    reset: async () => {
      shop.reset();
      await tables.clear(table);
      running = listedRunning();
      [sent, depths, waits, failures, surveyed, holders] = [[], [], [], [], [], new Map()];
    },
    stop: async () => {
      await shop.stop();
      await tables.stop();
    },
  };
}

/** The record as it is at rest: its roles given, and due when time changes them. */
export function withRoles(record: BuyerRecord, policy: Policy, now: number): BuyerRecord {
  const { roles, verdicts, changesAt } = entitlements(record.sources, policy, now);
  const gave = Object.fromEntries(
    verdicts.filter((verdict) => verdict.roles.length > 0).map((verdict) => [verdict.source, verdict.roles]),
  );
  const users = roles.length === 0
    ? {}
    : { "auth0|1": { origin: "created", foreign: [], roles: Object.fromEntries(roles.map((role) =>
      [role, "has"] as const
    )), told: roles } as const };
  return { ...record, gave, users, dueAt: changesAt };
}
