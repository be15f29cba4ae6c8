import type { SubscriberRow } from "../gumroad/rows.ts";

/**
 * The subscriptions that the daily sweep under way has listed as running, a hundred a call: no call for each of them
 * is needed when the records are looked at. Kept in the process only; one that isn't here is asked for.
 */
export interface Running {
  note(sweep: string, rows: readonly SubscriberRow[]): void;
  has(sweep: string, subscriptionId: string): boolean;
}

/** Some 8 MB. Whoever has more is asked for the others one by one. */
const MOST = 100_000;

/** None yet. */
export function listedRunning(): Running {
  let listed = { sweep: "", ids: new Set<string>() };
  return { note: (sweep, rows) => {
    if (listed.sweep !== sweep) listed = { sweep, ids: new Set() };
    for (const { id, ended } of rows) if (ended === null && listed.ids.size < MOST) listed.ids.add(id);
  }, has: (sweep, id) => listed.sweep === sweep && listed.ids.has(id) };
}
