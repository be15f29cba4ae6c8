import { childrenIn } from "./bundles.ts";
import { entriesOf, type SourceId, type Sources } from "./facts.ts";
import { sidesOf } from "./gifts.ts";
import type { Policy } from "./policy.ts";

/**
 * Finds what was bought together with a source: a bundle and what came with it, however late, and both sides of a
 * gift; not what an operator moved away. The source itself comes first. What can be of several bundles goes with the
 * nearest. All is worked out once, however many sources are then asked for.
 */
export function boughtTogether(sources: Sources, policy: Policy): (source: SourceId) => readonly SourceId[] {
  const own = entriesOf(sources).filter(([, { act }]) => act?.decision.kind !== "move");
  const children = childrenIn(sources, policy);
  const givers = new Map(entriesOf(sources).map(([id, { charges, productId }]) => {
    const received = charges.filter(({ gift }) => gift === "received");
    const given = received.flatMap((charge) => sidesOf("given", charge, productId, sources));
    return [id, new Set(given.map((side) => side.id))];
  }));
  const isUnder = (one: SourceId, other: SourceId) =>
    children.get(one)?.[0]?.id === other || givers.get(one)?.has(other) === true;
  return (source) => {
    const found = new Set([source]);
    // What is added comes round in its turn: a child's bundle brings the other children.
    for (const id of found) for (const [other] of own) if (isUnder(id, other) || isUnder(other, id)) found.add(other);
    return [...found];
  };
}
