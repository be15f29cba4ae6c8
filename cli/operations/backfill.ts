import { randomUUID } from "node:crypto";

import { ConfigError } from "../../src/errors.ts";
import { ownerOfRow, sourceOfRow } from "../../src/gumroad/facts.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoSurvey } from "../../src/ledger/survey.ts";
import { type Checkpoint, dynamoSweeps } from "../../src/ledger/sweeps.ts";
import { dynamoTombstones } from "../../src/ledger/tombstones.ts";
import { bulkQueue } from "../../src/queue/queue.ts";
import { beginning, type Backfilling, type BackfillTerms, countSales, positionOf, runBackfill,
  type SalesCount } from "../backfill/run.ts";
import { storedKey } from "../forget/key.ts";
import { lastReport } from "../ledger/sweep-reports.ts";
import { openShop } from "../shop/service-shop.ts";
import type { Stage } from "../stage/stage.ts";
import { CALL_MS, type Operating } from "./operating.ts";

/** Terms as somebody gave them. Null: they said nothing. */
export interface BackfillRequest {
  /** The first day (YYYY-MM-DD, UTC). */
  readonly since: string | null;
  readonly adopt: boolean | null;
  readonly invite: boolean;
}

/** The backfill that a stage has had last. */
export interface LastBackfill {
  readonly terms: BackfillTerms;
  /** Sales in all, as they were counted, and done. */
  readonly total: number;
  readonly read: number;
  /** Epoch ms; null: it is under way. */
  readonly finishedAt: number | null;
  readonly checkpoint: Checkpoint;
}

/** What came of bringing buyers in, so far. */
export interface BackfillReport {
  readonly terms: BackfillTerms;
  readonly sales: number;
  readonly differed: number;
  readonly sent: number;
  /** Sales that the ledger took in during this run. */
  readonly taken: number;
  /** Changes of roles in Auth0, as provision counts them. */
  readonly changed: number;
  /** Sales that were not taken in, and those among them of people who were forgotten. */
  readonly untaken: readonly string[];
  readonly forgotten: readonly string[];
  /** Gifts whose receiver Gumroad doesn't name. */
  readonly nobodys: readonly string[];
  readonly tookMs: number;
}

/** Between two looks at what provision has done. SQS's own count is up to a minute late; the local queue's isn't. */
const LOCAL_PACE = { pollMs: 100, countLagMs: 2_000 } as const;
const PACE = { pollMs: 2_000, countLagMs: 90_000 } as const;

/** The stage's last backfill; null: none has begun. Throws what the ledger throws. */
export async function lastBackfill({ stage }: Pick<Operating, "stage">): Promise<LastBackfill | null> {
  const checkpoint = await dynamoSweeps(ledgerTable(stage.dynamo, stage.ledger)).load("backfill");
  if (checkpoint === null) return null;
  const { since, adopt, invite, total } = positionOf(checkpoint);
  const { read, finishedAt } = checkpoint;
  return { terms: { since, adopt, invite }, total, read, finishedAt, checkpoint };
}

/** Buyers a minute, by Auth0's plan: a new one takes a look-up, a create and an assign. */
const PLANS = [["Free", 40], ["Essentials and Professional", 100], ["Enterprise", 320]] as const;

/** How long (ms) so many new buyers take, by Auth0's plan. */
export function timesFor(buyers: number): readonly { readonly plan: string; readonly ms: number }[] {
  return PLANS.map(([plan, perMinute]) => ({ plan, ms: (buyers / perMinute) * 60_000 }));
}

/**
 * Counts what a backfill would do. Changes nothing.
 * @throws {NeedsPersonError} GUMROAD_TOKEN_MISSING, or what Gumroad, the ledger and the queue throw
 */
export async function salesToBring(terms: BackfillTerms, operating: Operating): Promise<SalesCount> {
  const { tell } = operating;
  // Ten sales a page: a large shop takes minutes to be counted.
  return countSales(terms, await backfillingAt(operating), (done) => tell({ what: "sales", done, total: null }));
}

/**
 * Writes down that one begins, in place of the last.
 * @throws {ConfigError} BACKFILL_ELSEWHERE
 */
export async function begun(terms: BackfillTerms, sales: number, last: LastBackfill | null,
  { stage, now }: Operating): Promise<Checkpoint> {
  const saved = await dynamoSweeps(ledgerTable(stage.dynamo, stage.ledger)).save(
    beginning(terms, sales, last?.checkpoint ?? null, now()),
  );
  if (saved !== null) return saved;
  throw new ConfigError("BACKFILL_ELSEWHERE", "another backfill of this stage has just begun: leave it to that");
}

/** Brings in what is left, page by page, as Auth0's limit allows. Throws as `runBackfill`. */
export async function broughtIn(from: Checkpoint, operating: Operating): Promise<BackfillReport> {
  const { stage, now, tell } = operating;
  const startedAt = now();
  const { total } = positionOf(from);
  const work = await backfillingAt(operating);
  tell({ what: "sales", done: from.read, total });
  const { checkpoint, taken, nobodys, ...outcome } = await runBackfill(from, work,
    (done) => tell({ what: "sales", done, total }));
  return { ...(await reportOf(checkpoint, stage)), ...(await sorted(outcome.untaken, work, stage)), taken, nobodys,
    tookMs: now() - startedAt };
}

/** What came of one that is finished. Throws what the ledger throws. */
export async function finishedBackfill({ checkpoint }: LastBackfill, { stage }: Operating): Promise<BackfillReport> {
  return { ...(await reportOf(checkpoint, stage)), taken: 0, untaken: [], forgotten: [], nobodys: [], tookMs: 0 };
}

async function backfillingAt(operating: Operating): Promise<Backfilling> {
  const { stage, now, wait } = operating;
  return { shop: await openShop(operating), survey: dynamoSurvey(ledgerTable(stage.dynamo, stage.ledger)),
    sweeps: dynamoSweeps(ledgerTable(stage.dynamo, stage.ledger)), queue: bulkQueue(stage.sqs, stage.queue, "all"),
    now, wait, requestId: randomUUID(), ...(stage.emulators === null ? PACE : LOCAL_PACE) };
}

async function reportOf(checkpoint: Checkpoint,
  { dynamo, ledger }: Stage): Promise<Pick<BackfillReport, "terms" | "sales" | "differed" | "sent" | "changed">> {
  const { since, adopt, invite } = positionOf(checkpoint);
  const { read: sales, differed, sent } = checkpoint;
  const changed = (await lastReport(ledgerTable(dynamo, ledger), "backfill"))?.changed ?? 0;
  return { terms: { since, adopt, invite }, sales, differed, sent, changed };
}

/** Sales that weren't taken in: those of forgotten people should not be. */
async function sorted(untaken: readonly string[], { shop }: Backfilling,
  stage: Stage): Promise<Pick<BackfillReport, "untaken" | "forgotten">> {
  const key = untaken.length === 0 ? null : await storedKey(stage);
  const tombstones = key === null ? null : dynamoTombstones(ledgerTable(stage.dynamo, stage.ledger), key);
  const isForgotten = async (id: string): Promise<boolean> => {
    const row = tombstones === null ? null : await shop.sale(id, AbortSignal.timeout(CALL_MS));
    const buyer = row === null ? null : ownerOfRow(row);
    if (row === null || tombstones === null) return false;
    const subjects = [sourceOfRow(row), ...(buyer === null ? [] : [`buyer:${buyer}` as const])];
    return (await Promise.all(subjects.map((subject) => tombstones.forgottenAt(subject)))).some((at) => at !== null);
  };
  const are = await Promise.all(untaken.map(isForgotten));
  return { forgotten: untaken.filter((_, place) => are[place]), untaken: untaken.filter((_, place) => !are[place]) };
}
