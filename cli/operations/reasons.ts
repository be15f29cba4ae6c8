import type { Reason } from "../../src/access/standing.ts";

/**
 * Why a purchase gives what it gives, or nothing, in words that go on after "because". Every row of the truth table
 * has its own.
 */
export const REASONS: Readonly<Record<Reason, string>> = { paid: "it was paid",
  "test-purchase": "the seller bought it as a test, which counts as paid", gift: "it was given to them",
  refunded: "it was refunded in full",
  "refunded-kept": "it was refunded in full, but the policy lets buyers of this product keep access",
  "partly-refunded": "it was refunded in part, and the policy ends access for that",
  "partly-refunded-kept": "it was refunded only in part",
  disputed: "the payment is disputed (a chargeback), and not won",
  "disputed-kept": "the payment is disputed, but the policy lets buyers of this product keep access",
  "dispute-won": "the payment was disputed, and the seller won", revoked: "the seller took access away at Gumroad",
  "bundle-unknown": "it came with a bundle that isn't known here, or was moved away",
  "bundle-unsure": "its bundle gives access no more, but the buyer's other purchases weren't all looked at since",
  "bundle-gone": "it came with a bundle, and the bundle gives access no more",
  "gift-gone": "it was a gift, and the giver's purchase was refunded or disputed",
  preorder: "it is a preorder: the payment comes with the release", running: "the subscription runs",
  "cancelled-running": "the subscription is cancelled, but runs until its period ends",
  restarted: "the subscription ended, and was restarted",
  "in-grace": "the subscription ended, and the policy's days of grace aren't over", ended: "the subscription ended",
  "ended-kept": "the subscription ended, but the policy lets buyers of this product keep access",
  "paid-off": "all instalments are paid",
  "not-sold": "nothing has told of the sale itself yet, only of what came after it",
  "not-in-policy": "src/products.ts doesn't list the product", complimentary: "an operator gave it for nothing",
  "complimentary-over": "an operator gave it for nothing, and that is over or was taken back",
  given: "an operator decided so", taken: "an operator took it away", moved: "an operator moved it to another buyer" };
