import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import * as z from "zod";

import type { Policy } from "../../src/access/policy.ts";
import { reached } from "../../src/dynamo/table.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { scanPages } from "../ledger/scan.ts";
import { everyUnread, type Unread } from "../ledger/unread.ts";
import { recordShape, type BuyerRecord } from "../../src/ledger/record.ts";
import { changesOf } from "../../src/provisioning/marks.ts";
import type { Operating } from "./operating.ts";
import { addFindings, findingsIn, unreadFindings, type LedgerFinding } from "./record-findings.ts";

/** What the ledger holds. Times are epoch milliseconds. */
export interface LedgerCount {
  /** Lines of buyers' histories, by event: what pings told that was new, what sweeps found, what operators did. */
  readonly received: Readonly<Record<string, number>>;
  /** Purchases of which something was told, but not yet their sale. */
  readonly waitingForSale: number;
  readonly buyers: number;
  /** Buyers with nothing left to do at Auth0. */
  readonly applied: number;
  /** The others, by what keeps them; also who has no record yet, because what was told waits unread. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Pings, and finds of sweeps, that wait beside the records until they can be read back. */
  readonly unread: number;
  /** Buyers of whom time alone changes something: a grace that ends, a downgrade that comes due. */
  readonly scheduled: number;
  /** Buyers with held removals, by product id. */
  readonly held: Readonly<Record<string, number>>;
  /** The earliest due time of all. */
  readonly earliestDueAt: number | null;
  readonly oldestUnsettledAt: number | null;
  /** What a person has to see to. */
  readonly findings: readonly LedgerFinding[];
}

const itemShape = z.object({ pk: z.string(), sk: z.string(), record: z.unknown().optional(),
  detail: z.object({ event: z.string() }).optional().catch(undefined), owner: z.string().optional() });
type Item = z.infer<typeof itemShape>;

/**
 * Counts by reading the whole table, page by page: some 2 cents a million items. Locally the same.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 * @throws {ConfigError} POLICY_INVALID
 */
export async function countLedger(
  { stage: { dynamo, ledger }, policy, now, tell }: Pick<Operating, "stage" | "policy" | "now" | "tell">,
): Promise<LedgerCount> {
  const table = ledgerTable(dynamo, ledger);
  const unread = await everyUnread(table);
  const judged = { policy: await policy(), now: now(), unread: Map.groupBy(unread, ({ buyer }) => buyer) };
  const { Table } = await reached(table, dynamo.send(new DescribeTableCommand({ TableName: ledger })));
  // As AWS counted it within the last six hours.
  const total = Table?.ItemCount ?? null;
  const tally = newTally();
  let read = 0;
  const scan = { ProjectionExpression: "pk, sk, #record, #detail.#event, #owner",
    ExpressionAttributeNames: { "#record": "record", "#detail": "detail", "#event": "event", "#owner": "owner" } };
  for await (const items of scanPages(table, scan)) {
    for (const item of items) countItem(itemShape.parse(item), tally, judged);
    read += items.length;
    tell({ what: "items of the ledger", done: read, total });
  }
  countUnread(unread, tally, judged);
  const { received, waiting, held, findings, ...numbers } = tally;
  return { ...numbers, unread: unread.length, received: Object.fromEntries(received),
    waiting: Object.fromEntries(waiting), held: Object.fromEntries(held), findings: [...findings.values()] };
}

/** What a record's findings are told by. */
interface Judged {
  readonly policy: Policy;
  readonly now: number;
  readonly unread: Map<string, readonly Unread[]>;
}

/** The same, while it is counted. Maps, because some of the names come from outside. */
interface Tally {
  readonly received: Map<string, number>;
  waitingForSale: number;
  buyers: number;
  applied: number;
  readonly waiting: Map<string, number>;
  scheduled: number;
  readonly held: Map<string, number>;
  earliestDueAt: number | null;
  oldestUnsettledAt: number | null;
  readonly findings: Map<string, LedgerFinding & { readonly buyers: string[] }>;
}

function newTally(): Tally {
  return { received: new Map(), waitingForSale: 0, buyers: 0, applied: 0, waiting: new Map(), scheduled: 0,
    held: new Map(), earliestDueAt: null, oldestUnsettledAt: null, findings: new Map() };
}

function countItem({ pk, sk, record, detail, owner }: Item, tally: Tally, judged: Judged): void {
  if (pk.startsWith("held#")) addOne(tally.held, pk.slice("held#".length));
  else if (pk.startsWith("source#") && sk === "source" && owner === undefined) tally.waitingForSale += 1;
  else if (pk.startsWith("buyer#") && sk.startsWith("event#")) addOne(tally.received, detail?.event ?? "unknown");
  else if (pk.startsWith("buyer#") && sk === "record") {
    const parsed = recordShape.safeParse(record);
    tally.buyers += 1;
    if (parsed.success) countRecord(parsed.data, tally, judged);
    else addOne(tally.waiting, "RECORD_BROKEN");
  }
}

/** A buyer counts once, by what keeps the record: with none, or one at rest, by what waits unread the longest. */
function countUnread(unread: readonly Unread[], tally: Tally, { unread: byBuyer, now }: Judged): void {
  for (const [first] of byBuyer.values()) if (first !== undefined) addOne(tally.waiting, first.code);
  for (const { since, next } of unread) {
    tally.earliestDueAt = earlier(tally.earliestDueAt, next);
    tally.oldestUnsettledAt = earlier(tally.oldestUnsettledAt, since);
  }
  for (const [buyer, finding] of unreadFindings(unread, now)) addFindings(tally.findings, buyer, [finding]);
}

function countRecord(record: BuyerRecord, tally: Tally, { policy, now, unread }: Judged): void {
  const { unsettled, dueAt } = record;
  const ofRecord = unsettled?.code ?? (changesOf(record).length > 0 ? "CHANGING" : null);
  const waitsFor = ofRecord ?? unread.get(record.email)?.[0]?.code ?? null;
  unread.delete(record.email);
  if (waitsFor === null) tally.applied += 1;
  else addOne(tally.waiting, waitsFor);
  if (waitsFor === null && dueAt !== null) tally.scheduled += 1;
  tally.earliestDueAt = earlier(tally.earliestDueAt, dueAt);
  addFindings(tally.findings, record.email, findingsIn(record, policy, now));
  tally.oldestUnsettledAt = earlier(tally.oldestUnsettledAt, unsettled?.since ?? null);
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function addOne(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
