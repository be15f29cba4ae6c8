import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import * as z from "zod";

import type { Policy } from "../../src/access/policy.ts";
import { reached } from "../../src/dynamo/table.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { scanPages } from "../ledger/scan.ts";
import { recordShape, type BuyerRecord } from "../../src/ledger/record.ts";
import { changesOf } from "../../src/provisioning/marks.ts";
import type { Operating } from "./operating.ts";
import { addFindings, findingsIn, type LedgerFinding } from "./record-findings.ts";

/** What the ledger holds. Times are epoch milliseconds. */
export interface LedgerCount {
  /** Lines of buyers' histories, by event: what pings told that was new, what sweeps found, what operators did. */
  readonly received: Readonly<Record<string, number>>;
  /** Purchases of which something was told, but not yet their sale. */
  readonly waitingForSale: number;
  readonly buyers: number;
  /** Buyers with nothing left to do at Auth0. */
  readonly applied: number;
  /** The others, by what keeps them. */
  readonly waiting: Readonly<Record<string, number>>;
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
  const judged = { policy: await policy(), now: now() };
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
  const { received, waiting, held, findings, ...numbers } = tally;
  return { ...numbers, received: Object.fromEntries(received), waiting: Object.fromEntries(waiting),
    held: Object.fromEntries(held), findings: [...findings.values()] };
}

/** What a record's findings are told by. */
interface Judged {
  readonly policy: Policy;
  readonly now: number;
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

function countRecord(record: BuyerRecord, tally: Tally, { policy, now }: Judged): void {
  const { unsettled, dueAt } = record;
  const waitsFor = unsettled?.code ?? (changesOf(record).length > 0 ? "CHANGING" : null);
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
