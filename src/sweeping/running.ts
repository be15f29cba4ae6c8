import type { SubscriberRow } from "../gumroad/rows.ts";

/** Some 8 MB. Whoever has more is asked for the others one by one. */
const MOST = 100_000;

/** What the daily sweep under way has listed. */
export type Running = ReturnType<typeof listedRunning>;

/**
 * The subscriptions that the daily sweep has listed as running, a hundred a call, so that none needs a call of its own
 * when the records are looked at. Kept in the process only; one that isn't here is asked for.
 */
export function listedRunning() {
  let listed = { sweep: "", ids: new Set<string>() };
  return { note: (sweep: string, rows: readonly SubscriberRow[]) => {
    if (listed.sweep !== sweep) listed = { sweep, ids: new Set() };
    for (const { id, ended } of rows) if (ended === null && listed.ids.size < MOST) listed.ids.add(id);
  }, has: (sweep: string, subscriptionId: string) => listed.sweep === sweep && listed.ids.has(subscriptionId) };
}
