import * as z from "zod";

import { RefusedCall } from "emulator-server/refused-call";
import type { ShopActs } from "./acts.ts";
import type { PostOffice, PostRecord } from "./post-office.ts";
import { saleJson } from "./sale-json.ts";
import type { Sale } from "./sale.ts";
import type { Shop } from "./shop.ts";
import { subscriberJson } from "./subscriber-json.ts";

/** What came of an act that another process asked for. */
export interface ActOutcome {
  /** Each sale that it made, changed or was about, as `GET /sales/:id` shows it. */
  readonly sales: readonly Record<string, unknown>[];
  /** The same of subscribers. */
  readonly subscribers: readonly Record<string, unknown>[];
  /** The pings that went out with it, and what they were answered. */
  readonly pings: readonly Pick<PostRecord, "event" | "outcome">[];
}

/** All that can be asked for. */
type Acts = ShopActs & { sendTestPing(url?: string): Sale; resendPing(sale: Sale | string): Sale };

/** Where acts happen. */
export interface ActParts {
  readonly acts: Acts;
  readonly shop: Shop;
  readonly office: PostOffice;
}

const id = z.string().min(1);
const email = z.email();
const cents = z.int().min(0);
const count = z.int().min(1);
const pairs = z.array(z.tuple([z.string(), z.string()]));
const recurrence = z.enum(["monthly", "quarterly", "biannually", "yearly", "every_two_years"]);
/** ISO text; the acts count in epoch milliseconds. */
const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const OneSale = z.strictObject({ sale: id });
const OneSubscription = z.strictObject({ subscription: id });
const OneProduct = z.strictObject({ product: id });
const Refund = z.strictObject({ sale: id, partial: z.union([count, z.literal(true)]).exactOptional() });
const Order = z.strictObject({ product: id, email, accountEmail: email.exactOptional(),
  tier: z.string().exactOptional(), variants: z.record(z.string(), z.string()).exactOptional(),
  gift: z.strictObject({ to: email }).exactOptional(), quantity: count.exactOptional(),
  test: z.boolean().exactOptional(),
  customFields: z.array(z.tuple([z.string(), z.union([z.string(), z.boolean()])])).exactOptional(),
  urlParams: pairs.exactOptional(), fullName: z.string().exactOptional(), priceCents: cents.exactOptional(),
  offerCode: z.string().exactOptional(), referrer: z.string().exactOptional(), ipCountry: z.string().exactOptional(),
  shipping: z.strictObject({ fields: pairs, cents }).exactOptional() });
const NewPlan = z.strictObject({ subscription: id, tier: z.string().exactOptional(),
  recurrence: recurrence.exactOptional(), quantity: count.exactOptional(), priceCents: cents.exactOptional(),
  chargeCents: cents.exactOptional() });
const Option = z.strictObject({ id, name: z.string().min(1), priceCents: cents });
const productBase = { id: z.string().regex(/^[\w-]{22}==$/, "is no product id such as zGyG_1JQunZuizwqd9CP7g=="),
  name: z.string().min(1), priceCents: cents, permalink: id, shortId: id, currency: z.string().exactOptional(),
  licensed: z.boolean().exactOptional(), physical: z.boolean().exactOptional(),
  variants: z.strictObject({ category: z.string().min(1), options: z.array(Option).min(1) }).exactOptional() };
const Product = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("single"), ...productBase }),
  z.strictObject({ kind: z.literal("bundle"), ...productBase, contains: z.array(id).min(1) }),
  z.strictObject({ kind: z.literal("membership"), ...productBase, recurrence, tiers: z.array(Option),
    freeTrialDays: count.exactOptional(), charges: count.exactOptional() }),
  z.strictObject({ kind: z.literal("instalments"), ...productBase, charges: count }),
  z.strictObject({ kind: z.literal("preorder"), ...productBase, releaseAt: moment }),
]);

/** Checks the body, then acts. Throws a ZodError or a ShopError. */
type Act = (acts: Acts, body: unknown) => void;

function act<Shape extends z.ZodType>(shape: Shape, happen: (acts: Acts, body: z.output<Shape>) => void): Act {
  return (acts, body) => {
    happen(acts, shape.parse(body));
  };
}

/** By name. What each does is told in {@link ShopActs}. */
const ACTS: ReadonlyMap<string, Act> = new Map<string, Act>([
  ["sell", act(Order, (acts, order) => acts.sell(order))],
  ["sellCart", act(z.strictObject({ orders: z.array(Order).min(1) }), (acts, { orders }) => acts.sellCart(orders))],
  ["refund", act(Refund, (acts, { sale, ...options }) => acts.refund(sale, options))],
  ["refundGift", act(Refund, (acts, { sale, ...options }) => acts.refundGift(sale, options))],
  ["reverseRefund", act(OneSale, (acts, { sale }) => acts.reverseRefund(sale))],
  ["dispute", act(OneSale, (acts, { sale }) => acts.dispute(sale))],
  ["disputeWon", act(OneSale, (acts, { sale }) => acts.disputeWon(sale))],
  ["disputeLost", act(OneSale, (acts, { sale }) => acts.disputeLost(sale))],
  [
    "cancel",
    act(
      z.strictObject({ subscription: id, by: z.enum(["buyer", "seller", "admin"]).exactOptional(),
        at: moment.exactOptional() }),
      (acts, { subscription, by, ...options }) => acts.cancel(subscription, by, options),
    ),
  ],
  [
    "end",
    act(
      z.strictObject({ subscription: id,
        reason: z.enum(["cancelled", "failed_payment", "fixed_subscription_period_ended"]).exactOptional() }),
      (acts, { subscription, reason }) => acts.end(subscription, reason),
    ),
  ],
  ["restart", act(OneSubscription, (acts, { subscription }) => acts.restart(subscription))],
  ["upgrade", act(NewPlan, (acts, { subscription, ...plan }) => acts.upgrade(subscription, plan))],
  ["downgrade", act(NewPlan, (acts, { subscription, ...plan }) => acts.downgrade(subscription, plan))],
  ["renew", act(OneSubscription, (acts, { subscription }) => acts.renew(subscription))],
  [
    "failPayment",
    act(z.strictObject({ subscription: id, atNextCharge: z.boolean().exactOptional() }),
      (acts, { subscription, ...options }) => acts.failPayment(subscription, options)),
  ],
  ["releasePreorder", act(OneProduct, (acts, { product }) => acts.releasePreorder(product))],
  ["failPreorder", act(OneSale, (acts, { sale }) => acts.failPreorder(sale))],
  ["changeEmail", act(z.strictObject({ sale: id, email }), (acts, { sale, email: to }) => acts.changeEmail(sale, to))],
  ["changeAccountEmail", act(z.strictObject({ from: email, to: email }), (acts, { from, to }) => {
    acts.changeAccountEmail(from, to);
  })],
  ["changeSeats",
    act(z.strictObject({ subscription: id, quantity: count }),
      (acts, { subscription, quantity }) => acts.changeSeats(subscription, quantity))],
  ["revokeAccess", act(OneSale, (acts, { sale }) => acts.revokeAccess(sale))],
  ["restoreAccess", act(OneSale, (acts, { sale }) => acts.restoreAccess(sale))],
  ["disableLicense", act(OneSale, (acts, { sale }) => acts.disableLicense(sale))],
  ["renameTier",
    act(z.strictObject({ product: id, from: z.string(), to: z.string().min(1) }), (acts, { product, from, to }) => {
      acts.renameTier(product, from, to);
    })],
  ["addProduct", act(Product, (acts, product) => acts.addProduct(product))],
  ["addToBundle",
    act(z.strictObject({ bundle: id, product: id }),
      (acts, { bundle, product }) => acts.addToBundle(bundle, product))],
  ["deleteProduct", act(OneProduct, (acts, { product }) => acts.deleteProduct(product))],
  ["sendTestPing",
    act(z.strictObject({ url: z.url({ protocol: /^https?$/ }).exactOptional() }),
      (acts, { url }) => acts.sendTestPing(url))],
  ["resendPing", act(OneSale, (acts, { sale }) => acts.resendPing(sale))],
]);

const Named = z.object({ sale: z.string().optional(), subscription: z.string().optional() });

/**
 * Does what another process asks for, and waits until its pings are answered. Throws a 404 that lists the acts, a
 * ZodError for a body that doesn't fit, a ShopError for what a shop would not do.
 */
export async function actByRequest(name: string, body: unknown,
  { acts, shop, office }: ActParts): Promise<ActOutcome> {
  const happen = ACTS.get(name);
  if (happen === undefined) {
    throw new RefusedCall({ status: 404,
      body: { status: 404, error: `There is no act ${name}. There are ${[...ACTS.keys()].join(", ")}.` } });
  }
  const given = body ?? {};
  const before = rowsOf(shop);
  const posted = office.posts.length;
  happen(acts, given);
  await office.settled();
  const { sale, subscription } = Named.parse(given);
  const after = rowsOf(shop);
  return { sales: touched(before.sales, after.sales, sale),
    subscribers: touched(before.subscribers, after.subscribers, subscription),
    pings: office.posts.slice(posted).map(({ event, outcome }) => ({ event, outcome })) };
}

type Rows = ReadonlyMap<string, Record<string, unknown>>;

/**
 * The books as the API shows them. An act can change rows that it doesn't name: a gift's other half, a bundle's
 * products.
 */
function rowsOf(shop: Shop): { readonly sales: Rows; readonly subscribers: Rows } {
  return { sales: new Map([...shop.sales.values()].map((sale) => [sale.id, saleJson(shop, sale)])),
    subscribers: new Map(
      [...shop.subscriptions.values()].map((subscription) => [subscription.id, subscriberJson(shop, subscription)]),
    ) };
}

function touched(before: Rows, after: Rows, named: string | undefined): Record<string, unknown>[] {
  return [...after].filter(([rowId, row]) =>
    rowId === named || JSON.stringify(row) !== JSON.stringify(before.get(rowId))
  ).map(([, row]) => row);
}
