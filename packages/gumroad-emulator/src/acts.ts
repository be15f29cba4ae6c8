import { cancel, end, failPayment, renew, restart } from "./memberships.ts";
import type { Order, Receipt } from "./order.ts";
import { changeSeats, downgrade, upgrade } from "./plan-changes.ts";
import type { NewPlan } from "./plan-changes.ts";
import { failPreorder, releasePreorder, scheduleRelease } from "./preorders.ts";
import type { Product } from "./products.ts";
import { dispute, disputeLost, disputeWon, refund, refundGift, reverseRefund } from "./reversals.ts";
import type { RefundOptions } from "./reversals.ts";
import type { Sale } from "./sale.ts";
import { changeAccountEmail, changeEmail, deleteProduct, renameTier, setAccessRevoked,
  setLicenseDisabled } from "./seller-acts.ts";
import { addToBundle, sell, sellCart } from "./selling.ts";
import type { Shop } from "./shop.ts";
import type { Canceller, EndedReason, Subscription } from "./subscription.ts";

/**
 * What happens in a shop. Each act changes the books and announces what Gumroad announces; one that Gumroad would
 * refuse throws a ShopError. Sales and subscriptions are given by themselves or by id; what is returned is the entry
 * in the books, which later acts change.
 */
export interface ShopActs {
  /** Sells one thing: a single product, a gift, a bundle, a membership, an instalment plan or a preorder. */
  sell(order: Order): Receipt;
  /** Sells several at once. */
  sellCart(orders: readonly Order[]): Receipt[];
  /** Refunds in whole, or `partial`: so many cents, or `true` for half of what is left. */
  refund(sale: Sale | string, options?: RefundOptions): Sale;
  /** Refunds a gift, by either half. Silent. */
  refundGift(sale: Sale | string, options?: RefundOptions): Sale;
  /** A refund that failed is taken back. Silent. */
  reverseRefund(sale: Sale | string): Sale;
  /** The charge is taken back by the bank: everything bought with it. */
  dispute(sale: Sale | string): Sale[];
  disputeWon(sale: Sale | string): Sale[];
  /** Silent. */
  disputeLost(sale: Sale | string): Sale[];
  /** For the end of what is paid for, or another time (`at`, epoch milliseconds). `by` is the buyer if left out. */
  cancel(subscription: Subscription | string, by?: Canceller, options?: { readonly at?: number }): Subscription;
  /** Ends it now; `cancelled` if no reason is given. */
  end(subscription: Subscription | string, reason?: EndedReason): Subscription;
  restart(subscription: Subscription | string): Subscription;
  upgrade(subscription: Subscription | string, plan: NewPlan): Subscription;
  downgrade(subscription: Subscription | string, plan: NewPlan): Subscription;
  /** Charges now. */
  renew(subscription: Subscription | string): Sale;
  /** The charge is refused now, or when it is due; five days later it fails. */
  failPayment(subscription: Subscription | string, options?: { readonly atNextCharge?: boolean }): Subscription;
  /** Releases a preorder product before its time. */
  releasePreorder(product: string): Sale[];
  /** The charge at the release will fail. Silent. */
  failPreorder(sale: Sale | string): Sale;
  /** The seller edits one purchase's email. Silent. */
  changeEmail(sale: Sale | string, email: string): Sale;
  /** A buyer's account gets another email. Silent. */
  changeAccountEmail(from: string, to: string): void;
  /** Silent. */
  changeSeats(subscription: Subscription | string, quantity: number): Subscription;
  /** Not of a refunded, physical or subscription sale. Silent. */
  revokeAccess(sale: Sale | string): Sale;
  /** Silent. */
  restoreAccess(sale: Sale | string): Sale;
  /** Silent. */
  disableLicense(sale: Sale | string): Sale;
  /** Silent. */
  renameTier(product: string, from: string, to: string): void;
  addProduct(product: Product): Product;
  /** Puts a product into a bundle, and sends it to its buyers: purchases of now, each told of as a sale. */
  addToBundle(bundle: string, product: string): Sale[];
  /** Cancels and ends every subscriber of it. */
  deleteProduct(product: string): Subscription[];
}

/** The acts in the shop that stands at the time of each. */
export function shopActs(shop: () => Shop): ShopActs {
  return { sell: (order) => sell(shop(), order), sellCart: (orders) => sellCart(shop(), orders),
    refund: (sale, options) => refund(shop(), sale, options),
    refundGift: (sale, options) => refundGift(shop(), sale, options),
    reverseRefund: (sale) => reverseRefund(shop(), sale), dispute: (sale) => dispute(shop(), sale),
    disputeWon: (sale) => disputeWon(shop(), sale), disputeLost: (sale) => disputeLost(shop(), sale),
    cancel: (subscription, by, options) => cancel(shop(), subscription, by, options),
    end: (subscription, reason) => end(shop(), subscription, reason),
    restart: (subscription) => restart(shop(), subscription),
    upgrade: (subscription, plan) => upgrade(shop(), subscription, plan),
    downgrade: (subscription, plan) => downgrade(shop(), subscription, plan),
    renew: (subscription) => renew(shop(), subscription),
    failPayment: (subscription, options) => failPayment(shop(), subscription, options),
    releasePreorder: (product) => releasePreorder(shop(), product), failPreorder: (sale) => failPreorder(shop(), sale),
    changeEmail: (sale, email) => changeEmail(shop(), sale, email), changeAccountEmail: (from, to) => {
      changeAccountEmail(shop(), from, to);
    }, changeSeats: (subscription, quantity) => changeSeats(shop(), subscription, quantity),
    revokeAccess: (sale) => setAccessRevoked(shop(), sale, true),
    restoreAccess: (sale) => setAccessRevoked(shop(), sale, false),
    disableLicense: (sale) => setLicenseDisabled(shop(), sale, true), renameTier: (product, from, to) => {
      renameTier(shop(), product, from, to);
    }, addProduct: (product) => {
      shop().addProduct(product);
      if (product.kind === "preorder") scheduleRelease(shop(), product);
      return product;
    }, addToBundle: (bundle, product) => addToBundle(shop(), bundle, product),
    deleteProduct: (product) => deleteProduct(shop(), product) };
}
