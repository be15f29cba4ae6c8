import { isSubscription, type SourceId } from "../access/facts.ts";
import type { Policy } from "../access/policy.ts";
import { NeedsPersonError } from "../errors.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import type { Checkpoint, SweepKind } from "../ledger/sweeps.ts";
import type { Survey } from "../ledger/survey.ts";
import { causesOf, log } from "../log.ts";
import type { MessageOf } from "../queue/message.ts";
import type { BulkMessage } from "../queue/queue.ts";
import type { Running } from "./running.ts";

/** What a page is worked with, whichever sweep has its turn. `now` gives epoch milliseconds. */
export interface SweepTools {
  /** Null where no token is configured. */
  readonly shop: GumroadApi | null;
  /** The sweep's name. */
  readonly sweep: string;
  readonly survey: Survey;
  /** Keeps how many buyers have a product: what a mass loss is measured against. */
  readonly setHolders: (productId: string, holders: number) => Promise<void>;
  readonly policy: Policy;
  readonly now: () => number;
  /** Aborted when nothing new is to be begun: a page needs some seconds. */
  readonly enough: AbortSignal;
  /** Aborted when the time is up: ends every call. */
  readonly deadline: AbortSignal;
  readonly requestId: string;
  readonly running: Running;
}

/** What one page came to. */
export interface SweepPage {
  /** Rows and records looked at. */
  readonly read: number;
  readonly differed: number;
  readonly found: readonly BulkMessage[];
  /** Where to go on; null at the end. */
  readonly next: string | null;
}

/**
 * One of the sweeps, page by page. What it finds is only a hint, which goes through the queue and is read back there;
 * so a page that is worked twice, after a crash, does no harm.
 */
export interface Sweep {
  readonly kind: SweepKind;
  readonly everyMs: number;
  /** Whether there is nothing to do for it without a token of Gumroad's. */
  readonly needsShop: boolean;
  /** The first position of a sweep that begins now (epoch ms). */
  begin(now: number, last: Checkpoint | null, policy: Policy): string;
  page(position: string, tools: SweepTools): Promise<SweepPage>;
  /** Where to go on once Gumroad refuses the page at this position: its page keys may be none any more. */
  around(position: string, policy: Policy): string;
}

/**
 * Tells a buyer's record to read a purchase back, as Gumroad shows something else; queued once a sweep in five
 * minutes. Whoever is found among the last days' sales is a new buyer whose ping was lost, and is invited like one.
 */
export function hintFor(buyer: string, source: SourceId,
  { requestId, sweep, now }: Pick<SweepTools, "requestId" | "sweep" | "now">,
  terms: Pick<MessageOf<"hint">, "adopt" | "invite"> = { invite: sweep.startsWith("recent ") }): BulkMessage {
  const id = source.slice(source.indexOf(":") + 1);
  const [saleId, subscriptionId] = isSubscription(source) ? [null, id] : [id, null];
  return {
    message: { v: 1, kind: "hint", requestId, buyer, hops: 0, saleId, subscriptionId, sweep, foundAt: now(),
      ...terms },
    id: `${sweep} ${source}`,
  };
}

/** Tells a buyer's record to work out the roles anew. */
export function dueFor(buyer: string, { requestId, sweep }: Pick<SweepTools, "requestId" | "sweep">): BulkMessage {
  return { message: { v: 1, kind: "due", requestId, buyer }, id: `${sweep} ${buyer}` };
}

/** Without doubles: many charges of one subscription tell the same end. */
export function distinct(messages: readonly BulkMessage[]): readonly BulkMessage[] {
  return [...new Map(messages.map((message) => [message.id, message])).values()];
}

/** Reads of Gumroad at once. Its limits are unknown; so few are no burst. */
const AT_ONCE = 4;

/**
 * Works the rows of a sweep's page, a few at a time, and gives what all of them came to, in their order. A row that
 * can't be understood is logged and left out: it must not stop all the others, day after day.
 */
export async function eachRow<Row extends { readonly id: string }, Found>(rows: readonly Row[], sweep: string,
  work: (row: Row) => Promise<readonly Found[]>): Promise<readonly Found[]> {
  const alone = async (row: Row): Promise<readonly Found[]> => {
    try {
      return await work(row);
    } catch (error) {
      if (!(error instanceof NeedsPersonError) || error.code !== "GUMROAD_NOT_UNDERSTOOD") throw error;
      log.error("a row of Gumroad's can't be understood, and is left out of the sweep", { row: row.id, sweep,
        causes: causesOf(error) });
      return [];
    }
  };
  const found: Found[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    found.push(...(await Promise.all(rows.slice(start, start + AT_ONCE).map(alone))).flat());
  }
  return found;
}
