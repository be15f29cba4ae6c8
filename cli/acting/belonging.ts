import { childrenIn } from "../../src/access/bundles.ts";
import { entriesOf, type Source, type SourceId } from "../../src/access/facts.ts";
import { areTogether } from "../../src/access/known.ts";
import type { Policy } from "../../src/access/policy.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { isMine } from "../../src/provisioning/owners.ts";

/**
 * What was bought together with a source and can't stand without it: a bundle and what came with it, however late, and
 * both sides of a gift. The source itself comes first.
 */
export function belongingTo(source: SourceId, record: BuyerRecord, policy: Policy): readonly SourceId[] {
  const own = entriesOf(record.sources).filter(([id]) => isMine(record, id));
  const children = childrenIn(record.sources, policy);
  const found = new Set([source]);
  // A child's bundle brings the other children: so again, until nothing new comes.
  for (let size = 0; size < found.size;) {
    size = found.size;
    for (const id of [...found]) {
      const known = record.sources[id];
      if (known === undefined) continue;
      for (const [other, facts] of own) {
        const isWith = children.get(id)?.includes(other) === true || children.get(other)?.includes(id) === true;
        if (isWith || areOneGift(facts, known)) {
          found.add(other);
        }
      }
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
