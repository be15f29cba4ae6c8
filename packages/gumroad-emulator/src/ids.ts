import { createHash } from "node:crypto";

/** First order number given out; Gumroad's are of this size. */
const FIRST_ORDER = 524_460_000;

/** How far ids have been given out. */
export interface IdsState {
  readonly seed: string;
  readonly made: number;
  readonly orders: number;
}

/** Makes ids of the shapes Gumroad uses. Two of one seed make the same ids in the same order. */
export class Ids {
  readonly #seed: string;
  #made: number;
  #orders: number;

  constructor({ seed, made, orders }: IdsState) {
    this.#seed = seed;
    this.#made = made;
    this.#orders = orders;
  }

  /** Whence another goes on. */
  state(): IdsState {
    return { seed: this.#seed, made: this.#made, orders: this.#orders };
  }

  /** Urlsafe base64 of 16 bytes, ending in `==`: sales, products, subscriptions, tiers. */
  next(): string {
    return `${this.#bytes().subarray(0, 16).toString("base64url")}==`;
  }

  /** `order_number` in a ping, `order_id` in the API: larger for every sale. */
  order(): number {
    this.#orders += 1;
    return FIRST_ORDER + this.#orders;
  }

  /** An account's id: 12 or 13 digits as text. */
  account(): string {
    return String(100_000_000_000 + (this.#bytes().readUIntBE(0, 5) % 900_000_000_000));
  }

  /** A license key: four groups of eight hexadecimal digits. */
  license(): string {
    const text = this.#bytes().toString("hex").toUpperCase();
    return [0, 8, 16, 24].map((start) => text.slice(start, start + 8)).join("-");
  }

  #bytes(): Buffer {
    this.#made += 1;
    return createHash("sha256").update(`${this.#seed} ${String(this.#made)}`).digest();
  }
}
