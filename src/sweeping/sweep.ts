import type { Policy } from "../access/policy.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import type { Checkpoint, SweepKind } from "../ledger/sweeps.ts";
import type { Survey } from "../ledger/survey.ts";
import type { BulkMessage } from "../queue/queue.ts";
import type { Running } from "./running.ts";

/** What a run works with, whichever sweep has its turn. `now` gives epoch milliseconds. */
export interface SweepWork {
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

/** What a page is worked with. */
export interface SweepTools extends SweepWork {
  /** Null where no token is configured. */
  readonly shop: GumroadApi | null;
  readonly sweep: string;
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
