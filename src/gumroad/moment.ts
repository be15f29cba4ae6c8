/** Past this (epoch ms) a few days more are no date any more, or one that sorts wrongly as text. */
const LATEST = Date.parse("9000-01-01T00:00:00Z");

/** A time such as 2026-01-05T19:38:56Z as epoch milliseconds; null for what is none, or none that a sale can have. */
export function momentOf(text: string): number | null {
  const at = Date.parse(text);
  return at >= 0 && at < LATEST ? at : null;
}

/** The day of a moment (epoch ms). Listings go by whole days, UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
