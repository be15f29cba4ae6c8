import { childrenIn } from "./bundles.ts";
import { entriesOf, type Source, type SourceId, type Sources } from "./facts.ts";
import { areTogether } from "./known.ts";
import type { Policy } from "./policy.ts";

/**
 * What was bought together with a source and can't stand without it: a bundle and what came with it, however late, and
 * both sides of a gift; not what an operator moved away. The source itself comes first.
 */
export function boughtTogether(source: SourceId, sources: Sources, policy: Policy): readonly SourceId[] {
  const own = entriesOf(sources).filter(([, { act }]) => act?.decision.kind !== "move");
  const children = childrenIn(sources, policy);
  const found = new Set([source]);
  // What is added comes round in its turn: a child's bundle brings the other children.
  for (const id of found) {
    const known = sources[id];
    if (known === undefined) continue;
    for (const [other, facts] of own) {
      const isWith = children.get(id)?.includes(other) === true || children.get(other)?.includes(id) === true;
      if (isWith || areOneGift(facts, known)) found.add(other);
    }
  }
  return [...found];
}

function areOneGift(a: Source, b: Source): boolean {
  return a.productId === b.productId &&
    a.charges.some((one) =>
      b.charges.some((other) =>
        one.gift !== "none" && other.gift !== "none" && one.gift !== other.gift && areTogether(one, other)
      )
    );
}
