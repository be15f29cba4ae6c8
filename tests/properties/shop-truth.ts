import type { GumroadEmulator } from "../../src/emulators/gumroad/emulator.ts";
import { fixtureProducts } from "../../src/emulators/gumroad/products.ts";
import { isChargedBack, type Sale } from "../../src/emulators/gumroad/sale.ts";
import { endedReason, type Subscription } from "../../src/emulators/gumroad/subscription.ts";

const ROLES: Readonly<Record<string, readonly string[]>> = {
  "Serverless Handbook": ["serverless-handbook"],
  "React for Data Visualization": ["react-for-dataviz"],
  "Pro Club Basic": ["club"],
  "Pro Club Premium": ["club", "club-premium"],
  Masterclass: ["masterclass"],
};
const names = new Map(fixtureProducts().map(({ id, name, kind }) => [id, { name, kind }]));

/**
 * The roles that each buyer should have by the shop's own books, which the service never sees: a plain model of the truth
 * table, written apart from `src/access`, in the shop's words.
 */
export function rolesByTheBooks({ sales, subscriptions }: GumroadEmulator): ReadonlyMap<string, readonly string[]> {
  const roles = new Map<string, Set<string>>();
  const give = (email: string, product: string) => {
    const all = roles.get(email) ?? new Set();
    for (const role of ROLES[product] ?? []) all.add(role);
    roles.set(email, all);
  };
  for (const sale of sales) {
    roles.set(sale.email, roles.get(sale.email) ?? new Set());
    const bundle = sales.find(({ id }) => id === sale.bundleSaleId);
    if (sale.subscriptionId === undefined && stands(sale) && (bundle === undefined || stands(bundle))) give(sale.email, nameOf(sale.productId));
  }
  for (const subscription of subscriptions) {
    const charges = sales.filter(({ id }) => subscription.saleIds.includes(id));
    const [first] = charges;
    if (first === undefined) continue;
    if (subscription.instalments && paysOrPaid(subscription) && charges.every(stands)) give(first.email, nameOf(subscription.productId));
    if (!subscription.instalments && subscription.deactivatedAt === undefined) give(first.email, `${nameOf(subscription.productId)} ${subscription.plan.tier?.name ?? ""}`);
  }
  return new Map([...roles].map(([email, all]) => [email, [...all].sort()]));
}

function stands(sale: Sale): boolean {
  return sale.refunded !== true && !isChargedBack(sale) && sale.state !== "preorderAuthorized";
}

function paysOrPaid(subscription: Subscription): boolean {
  const reason = endedReason(subscription);
  return reason === undefined || reason === "fixed_subscription_period_ended";
}

function nameOf(productId: string): string {
  return names.get(productId)?.name ?? "";
}
