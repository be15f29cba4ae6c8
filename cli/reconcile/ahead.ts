import type { Policy } from "../../src/access/policy.ts";
import type { GumroadApi } from "../../src/gumroad/api.ts";
import type { Checkpoint } from "../../src/ledger/sweeps.ts";
import type { Survey } from "../../src/ledger/survey.ts";
import { runningAccess } from "../../src/sweeping/daily.ts";
import { listedRunning } from "../../src/sweeping/running.ts";
import { allSales, recentSales } from "../../src/sweeping/sales.ts";
import type { Sweep, SweepPage } from "../../src/sweeping/sweep.ts";
import { patiently } from "../shop/patience.ts";
import type { AskableSweep } from "./call.ts";

/** What looking ahead works with. `now` gives epoch milliseconds. */
export interface LookingAhead {
  /** Null where no token is configured: then only what needs none is looked at. */
  readonly shop: GumroadApi | null;
  readonly survey: Survey;
  /** The last such sweep: some begin where it did. */
  readonly last: Checkpoint | null;
  readonly policy: Policy;
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  readonly requestId: string;
}

/** What a sweep would find. */
export interface Ahead {
  readonly read: number;
  readonly differed: number;
  readonly found: readonly { readonly buyer: string; readonly what: string }[];
}

const SWEEPS: Readonly<Record<AskableSweep, Sweep>> = { recent: recentSales, daily: runningAccess, weekly: allSales };
const PAGE_MS = 60_000;

/** Makes a sweep in this process, from its beginning, and sends and writes nothing. */
export async function lookAhead(kind: AskableSweep,
  { shop, survey, last, policy, now, wait, requestId }: LookingAhead): Promise<Ahead> {
  const sweep = SWEEPS[kind];
  const running = listedRunning();
  const found: { readonly buyer: string; readonly what: string }[] = [];
  let [read, differed] = [0, 0];
  for (let position: string | null = sweep.begin(now(), last, policy); position !== null;) {
    const at: string = position;
    const page: SweepPage = await patiently(() => {
      const deadline = AbortSignal.timeout(PAGE_MS);
      return sweep.page(at, { shop, survey, setHolders: async () => undefined, policy, now, enough: deadline, deadline,
        running, requestId, sweep: `${kind} dry run` });
    }, wait);
    read += page.read;
    differed += page.differed;
    found.push(
      ...page.found.map(({ message }) => ({ buyer: message.buyer, what: message.kind === "due"
        ? "roles"
        : message.saleId === null
        ? `subscription ${message.subscriptionId ?? ""}`
        : `sale ${message.saleId}` })
      ),
    );
    position = page.next;
  }
  return { read, differed, found };
}
