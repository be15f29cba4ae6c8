/** What a seller decided: which roles each product gives, and what ends them. Written in `src/products.ts`. */

/** What a refund or a dispute does to access. */
export type Consequence = "keep" | "remove";

/** How long access outlasts a membership's end (in days), or that it is kept for good. */
export type OnEnd = { readonly graceDays: number } | "keep";

interface ProductBase {
  /** Gumroad's `product_id`: the one id that every event carries. Slugs and names change. */
  readonly id: string;
  /** For people: logs, `explain`, error messages. */
  readonly name: string;
  /** After a full refund. Left out: a sale or an instalment plan loses access, a membership goes on until it ends. */
  readonly onRefund?: Consequence;
  /** After a partial refund. Left out: access is kept. */
  readonly onPartialRefund?: Consequence;
  /** While a charge is disputed and not won. Left out: as after a full refund. */
  readonly onDispute?: Consequence;
  /** When a membership or an unpaid instalment plan ends. Left out: at once (Gumroad already waited 5 days). */
  readonly onEnd?: OnEnd;
  /** Paid in instalments: a subscription for Gumroad, but access stays for good once it is paid off. */
  readonly plan?: "instalments";
}

/** A product that gives the same roles to everybody. */
export interface PlainProduct extends ProductBase {
  readonly roles: readonly string[];
}

/** What an option gives; `also` lists the names that it had before it was renamed at Gumroad. */
export type OptionRoles = readonly string[] | { readonly roles: readonly string[]; readonly also: readonly string[] };

/** A product whose roles depend on an option or a membership tier. */
export interface VariantProduct extends ProductBase {
  /** The option's category ("Tier"). */
  readonly variant: string;
  /** By the option's name, compared as people read it. */
  readonly roles: Readonly<Record<string, OptionRoles>>;
  /** For a name that `roles` doesn't list. Left out: it takes and gives nothing, and a person is told. */
  readonly otherwise?: readonly string[];
}

/** A bundle: Gumroad pings each product in it apart, at price 0; those stand and fall with the bundle. */
export interface BundleProduct extends ProductBase {
  readonly contains: readonly string[];
  /** Roles of the bundle itself, beside those of the products in it. */
  readonly roles?: readonly string[];
}

/** One entry of the policy file. */
export type Product = PlainProduct | VariantProduct | BundleProduct;

/** The whole policy by product id. A Map, because a product id comes from outside. */
export type Policy = ReadonlyMap<string, Product>;

/** The roles a product gives with this option; `listed` is false where the policy doesn't name the option. */
export function rolesOf(product: Product, variant: string | null) {
  if (!("variant" in product)) return { roles: product.roles ?? [], listed: true };
  const listed = variant === null ? null : listedAs(product, variant);
  const option = listed === null ? undefined : product.roles[listed];
  return { roles: option === undefined ? (product.otherwise ?? []) : rolesIn(option), listed: option !== undefined };
}

/** Under which key the policy lists an option of this name; null: it doesn't. */
export function listedAs({ roles }: VariantProduct, name: string): string | null {
  const isIt = (listed: string) => asRead(listed) === asRead(name);
  return Object.keys(roles).find((key) => namesUnder(key, roles[key]).some(isIt)) ?? null;
}

/** The names under which the policy lists an option: its key, and former ones. */
export function namesUnder(key: string, option: OptionRoles | undefined): readonly string[] {
  return option !== undefined && "also" in option ? [key, ...option.also] : [key];
}

/** A name as people read it: without what can't be seen, case and kinds of blanks aside. */
export function asRead(name: string): string {
  return name.normalize("NFKC").replace(/\s+/gu, " ").replace(/\p{C}/gu, "").trim().toLowerCase();
}

/** The roles that an option gives. */
export function rolesIn(option: OptionRoles): readonly string[] {
  return "also" in option ? option.roles : option;
}

/** The products in a bundle; empty for everything else. */
export function contentsOf(product: Product): readonly string[] {
  return "contains" in product ? product.contains : [];
}
