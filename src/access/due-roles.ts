import { entitlements } from "./entitlements.ts";
import { entriesOf, type SourceId, type Sources } from "./facts.ts";
import type { Policy } from "./policy.ts";

/** What a buyer's sources gave when they were last worked on, and which of them give that on: their loss is held. */
export interface Kept {
  readonly sources: Sources;
  readonly gave: Readonly<Partial<Record<SourceId, readonly string[]>>>;
  readonly held: Readonly<Partial<Record<SourceId, unknown>>>;
}

/** Roles, and what held sources give on. Sorted, without doubles. */
export function withHeld(roles: readonly string[], { sources, gave, held }: Kept): readonly string[] {
  const kept = entriesOf(sources).flatMap(([id]) => (held[id] === undefined ? [] : (gave[id] ?? [])));
  return [...new Set([...roles, ...kept])].sort();
}

/** The roles that a buyer should have at a moment (epoch ms): what facts and policy give, and what is held. */
export function dueRoles(kept: Kept, policy: Policy, now: number): readonly string[] {
  return withHeld(entitlements(kept.sources, policy, now).roles, kept);
}
