import { contentsOf, listedAs, type Policy, type Product } from "../../src/access/policy.ts";
import type { ShopProduct } from "../admin/shop-admin.ts";

/** Auth0's longest role name that policies take. */
const LONGEST_ROLE = 50;
/** An entry longer than this is written a key a line. */
const WIDTH = 140;
/** The category that a membership's tiers are in. */
const TIER = "Tier";

const HEAD = `import { defineProducts } from "./config/products-file.ts";

/**
 * The one file a seller edits: which Auth0 roles each Gumroad product gives. \`id\` is the \`product_id\` that every
 * ping carries. docs/policy.md lists every option; Gumroad doesn't tell which are paid in instalments: those need
 * \`plan: "instalments"\`.
 */
export default defineProducts([
`;

/**
 * The source of src/products.ts for what a shop sells. Entries that the policy has already stay as they are, new ones
 * get roles named after the product. What the shop doesn't sell (any more) stays at the end: its buyers keep their
 * roles.
 */
export function policyFile(products: readonly ShopProduct[], policy: Policy): string {
  const ids = new Set([...products.map(({ id }) => id), ...policy.keys()]);
  const sold = products.map((product) => {
    const known = policy.get(product.id);
    return known === undefined
      ? entry(proposal(product, ids), proposalNote(product))
      : entry(known, unlistedNote(known, product, policy));
  });
  const soldIds = new Set(products.map(({ id }) => id));
  const notSold = [...policy.values()].filter(({ id }) => !soldIds.has(id)).map((product) => entry(product, null));
  const rest = notSold.length === 0
    ? ""
    : `  // Not in the shop, or not any more: whoever bought one keeps the roles while its entry is here.\n${
      notSold.join("")
    }`;
  return `${HEAD}${sold.join("")}${rest}]);\n`;
}

/** What a new product might give. */
function proposal(product: ShopProduct, ids: ReadonlySet<string>): Product {
  const { id, name } = product;
  const contains = product.contains.filter((content) => ids.has(content) && content !== id);
  if (contains.length > 0) return { id, name: name || id, contains };
  const role = slug(name) || slug(product.slug) || slug(id);
  const tiers = product.membership ? product.categories.find(({ title }) => title === TIER)?.options ?? [] : [];
  // A membership always has a tier; one alone decides nothing.
  if (tiers.length < 2) return { id, name: name || id, roles: [role] };
  return { id, name, variant: TIER,
    roles: Object.fromEntries(
      tiers.map((tier, place) => [tier, [slug(`${role}-${slug(tier) || String(place + 1)}`)]]),
    ) };
}

function proposalNote({ categories, membership }: ShopProduct): string | null {
  const others = categories.filter(({ title, options }) => options.length > 0 && !(membership && title === TIER));
  return others.length === 0
    ? null
    : `Options: ${
      others.map(({ title, options }) => `${title} (${options.join(", ")})`).join("; ")
    }. All give the same roles, unless "variant" names one.`;
}

/** What an entry lacks of the product: options, and what is in a bundle. */
function unlistedNote(known: Product, product: ShopProduct, policy: Policy): string | null {
  const contents = "contains" in known ? product.contains.filter((id) => !known.contains.includes(id)) : [];
  const unlisted = [...unlistedOptions(known, product), ...contents.map((id) => policy.get(id)?.name ?? id)];
  return unlisted.length === 0 ? null : `Not listed yet: ${unlisted.join(", ")}.`;
}

/** Options that an entry doesn't mention: they give nothing, and raise an alarm when somebody buys one. */
export function unlistedOptions(known: Product, { categories }: ShopProduct): readonly string[] {
  if (!("variant" in known) || known.otherwise !== undefined) return [];
  const options = categories.find(({ title }) => title === known.variant)?.options ?? [];
  return options.filter((option) => listedAs(known, option) === null);
}

/** A role name out of any text: `Pro Club` gives `pro-club`. Empty where the text has no letter or digit of ASCII. */
function slug(text: string): string {
  const words = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return words.replace(/^-+/, "").slice(0, LONGEST_ROLE).replace(/-+$/, "");
}

function entry(product: Product, note: string | null): string {
  const fields = Object.entries(product).filter(([key, value]) =>
    value !== undefined && !(key === "contains" && contentsOf(product).length === 0)
  ).map(([key, value]) => `${keyOf(key)}: ${literal(value)}`);
  const line = `  { ${fields.join(", ")} },\n`;
  const written = line.length <= WIDTH ? line : `  {\n${fields.map((field) => `    ${field},\n`).join("")}  },\n`;
  // A line break in a name must not end the comment.
  return note === null ? written : `  // ${note.replace(/[\r\n\u2028\u2029]+/g, " ")}\n${written}`;
}

/**
 * A value as TypeScript writes it. Keys that are no plain words are quoted; `__proto__` would set the prototype unless
 * it is computed.
 */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, inner]) => `${keyOf(key)}: ${literal(inner)}`).join(", ")} }`;
}

function keyOf(key: string): string {
  if (key === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/**
 * The policy without these products, also in its bundles. A bundle that has nothing left in it stays only for roles of
 * its own.
 */
export function withoutEntries(policy: Policy, ids: readonly string[]): Policy {
  const left = [...policy].filter(([id]) => !ids.includes(id));
  return new Map(left.flatMap(([id, product]): [string, Product][] => {
    if (!("contains" in product)) return [[id, product]];
    const contains = product.contains.filter((content) => !ids.includes(content));
    if (contains.length > 0) return [[id, { ...product, contains }]];
    return product.roles === undefined ? [] : [[id, { ...product, contains: [] }]];
  }));
}
