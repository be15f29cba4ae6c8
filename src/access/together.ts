import { childrenIn } from "./bundles.ts";
import { entriesOf, type SourceId, type Sources } from "./facts.ts";
import { sidesOf } from "./gifts.ts";
import type { Policy } from "./policy.ts";

/**
 * What was bought together with a source and can't stand without it: a bundle and what came with it, however late, and
 * both sides of a gift; not what an operator moved away. The source itself comes first. What can have come with any of
 * several bundles goes with the nearest.
 */
export function boughtTogether(source: SourceId, sources: Sources, policy: Policy): readonly SourceId[] {
  const own = entriesOf(sources).filter(([, { act }]) => act?.decision.kind !== "move");
  const children = childrenIn(sources, policy);
  const givers = new Map([source, ...own.map(([id]) => id)].map((id) => [id, giversOf(id, sources)]));
  const isUnder = (one: SourceId, other: SourceId) =>
    children.get(one)?.[0]?.id === other || givers.get(one)?.has(other) === true;
  const found = new Set([source]);
  // What is added comes round in its turn: a child's bundle brings the other children.
  for (const id of found) for (const [other] of own) if (isUnder(id, other) || isUnder(other, id)) found.add(other);
  return [...found];
}

function giversOf(id: SourceId, sources: Sources): ReadonlySet<SourceId> {
  const { charges = [], productId = "" } = sources[id] ?? {};
  const received = charges.filter(({ gift }) => gift === "received");
  return new Set(received.flatMap((charge) => sidesOf("given", charge, productId, sources)).map((given) => given.id));
}
