/** Why an act can't happen. */
export type ShopErrorCode = "NO_SUCH_PRODUCT" | "NO_SUCH_SALE" | "NO_SUCH_SUBSCRIPTION" | "NOT_FOR_SALE"
  | "BAD_REQUEST" | "NOT_POSSIBLE_NOW";

/** An act that a real shop would not do either: a mistake in the test. */
export class ShopError extends Error {
  override readonly name = "ShopError";
  readonly code: ShopErrorCode;

  constructor(code: ShopErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
