import type { Charge } from "./facts.ts";
import { namesOf } from "./known.ts";
import { asRead, listedAs, type VariantProduct } from "./policy.ts";

/** The names of one product's option on one source. */
export type OptionNames = ReturnType<typeof optionNames>;

/**
 * Reads the options of a source's charges. A name is a label: the seller may change it, and Gumroad's API then shows
 * the new one for old sales too. So all names of a charge are one option, and the latest that the policy lists counts;
 * but an `otherwise` is meant for every name that it doesn't list.
 */
export function optionNames(product: VariantProduct, charges: readonly Charge[]) {
  const seen = charges.filter((charge) => charge.seen).map((charge) => namesIn(product, charge));
  const byOtherwise = product.otherwise !== undefined;
  /** By what the policy calls it, where that lists it; else as it is. */
  const called = (name: string): string => {
    const listed = listedAs(product, name);
    if (listed !== null || byOtherwise) return listed ?? name;
    return firstListed(product, seen.filter((names) => names.includes(name)).flat()) ?? name;
  };
  return {
    called,
    /** The option that a charge was made with; null where it names none of this product's category. */
    chosen: (charge: Charge): string | null => {
      const [latest, ...former] = namesIn(product, charge);
      if (latest === undefined) return null;
      return called(byOtherwise ? latest : (firstListed(product, [latest, ...former]) ?? latest));
    },
    /** Whether the policy says what the option gives: by its name, or by `otherwise`. */
    isListed: (name: string) => byOtherwise || listedAs(product, name) !== null,
    /** Whether there is such an option, as far as is known: the policy lists it, or a charge was made with it. */
    exists: (name: string) => listedAs(product, name) !== null || seen.some((names) => names.includes(name)),
  };
}

function namesIn({ variant }: VariantProduct, charge: Charge): readonly string[] {
  return namesOf(charge).flatMap((options) =>
    options.flatMap(([category, name]) => asRead(category) === asRead(variant) ? [name] : [])
  );
}

function firstListed(product: VariantProduct, names: readonly string[]): string | null {
  return names.map((name) => listedAs(product, name)).find((listed) => listed !== null) ?? null;
}
