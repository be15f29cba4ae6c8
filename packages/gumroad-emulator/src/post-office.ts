import type { Endpoints } from "./endpoints.ts";
import { encodeForm, encodeJson } from "./form-encoding.ts";
import type { Payload } from "./form-encoding.ts";
import type { Deliver, Post, PostOutcome } from "./post.ts";
import { ShopError } from "./shop-error.ts";
import { salePing } from "./sale-ping.ts";
import type { ResourceName, Shop } from "./shop.ts";
import type { Sale } from "./sale.ts";

/** What goes wrong on the way, by chance. Probabilities from 0 to 1; left out: 0. */
export interface Chaos {
  /** From 0 to below 1; seeded, so that a run can be repeated. */
  readonly random: () => number;
  /** Never posted at all. */
  readonly lose?: number;
  /** Posted twice. */
  readonly duplicate?: number;
  /** Posted later, with the state of before: later pings overtake it. */
  readonly delay?: number;
  /** Longest delay in milliseconds; default one hour. */
  readonly longestDelayMs?: number;
}

/** A post that was made, or lost. */
export interface PostRecord extends Post {
  /** `test` for "Send test ping". */
  readonly event: ResourceName | "test";
  /** 0 the first time, then the retry count. */
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Undefined while it is on its way. */
  readonly outcome: PostOutcome | "lost" | undefined;
}

/** Milliseconds from an act to its ping, as in Gumroad's queue. */
export interface PingDelays {
  readonly sale: number;
  readonly other: number;
}

interface OpenRecord extends PostRecord {
  outcome: PostRecord["outcome"];
}

/** What a post office needs. */
export interface PostOfficeParts {
  readonly shop: Shop;
  readonly endpoints: Endpoints;
  readonly deliver: Deliver;
  readonly delays: PingDelays;
  readonly chaos: Chaos | undefined;
}

/** Every other status is final, 408 and 429 too. */
const RETRIED: readonly PostOutcome[] = [499, 500, 502, 503, 504, "unreachable"];
/** Milliseconds from one attempt to the next. */
const RETRY_AFTER = [60_000, 180_000, 600_000] as const;
const HOUR = 3_600_000;

/** Builds pings, posts them, and tries again as Gumroad does. */
export class PostOffice {
  /** What goes wrong by chance; can be changed at any time. */
  chaos: Chaos | undefined;
  /** How posts are delivered; can be changed at any time. */
  deliver: Deliver;
  readonly #shop: Shop;
  readonly #endpoints: Endpoints;
  readonly #delays: PingDelays;
  readonly #records: OpenRecord[] = [];
  readonly #onTheirWay = new Set<Promise<void>>();

  constructor({ shop, endpoints, deliver, delays, chaos }: PostOfficeParts) {
    this.#shop = shop;
    this.#endpoints = endpoints;
    this.deliver = deliver;
    this.#delays = delays;
    this.chaos = chaos;
    shop.announce = (event, build) => {
      this.#announce(event, build);
    };
  }

  /** Every post made or lost, in order. */
  get posts(): readonly PostRecord[] {
    return this.#records;
  }

  /** "Send test ping": the latest real sale, with `test=true` and no resource name. Never tried again. */
  sendTestPing(url: string | undefined): Sale {
    const sale = [...this.#shop.sales.values()].findLast(({ test }) => !test);
    if (sale === undefined || url === undefined) {
      throw new ShopError("NOT_POSSIBLE_NOW", "A test ping needs a sale and a URL");
    }
    this.#attempt(url, salePing(this.#shop, sale).set("test", true), "test", 0);
    return sale;
  }

  /** "Resend ping": the `sale` ping once more, with the flags of now. For a gift the receiver's. */
  resendPing(sale: Sale): Sale {
    const told = sale.state === "giftGiver" && sale.giftPartnerId !== undefined
      ? this.#shop.sale(sale.giftPartnerId)
      : sale;
    this.#announce("sale", () => salePing(this.#shop, told, "sale"));
    return told;
  }

  /** Resolves once nothing is on its way. What waits for its time still waits. */
  async settled(): Promise<void> {
    while (this.#onTheirWay.size > 0) await Promise.all(this.#onTheirWay);
  }

  #announce(event: ResourceName, build: () => Payload | undefined): void {
    const delay = event === "sale" ? this.#delays.sale : this.#delays.other;
    this.#after(delay, () => {
      const payload = build();
      if (payload === undefined) return;
      for (const url of this.#endpoints.urlsFor(event)) this.#dispatch(url, payload, event);
    });
  }

  /** One ping for one URL: as it should be, or as chance has it. */
  #dispatch(url: string, payload: Payload, event: ResourceName): void {
    const { chaos } = this;
    if (chaos === undefined) {
      this.#attempt(url, payload, event, 0);
      return;
    }
    const happens = (probability = 0): boolean => chaos.random() < probability;
    if (happens(chaos.lose)) {
      this.#records.push({ ...postOf(url, payload), event, attempt: 0, at: this.#shop.now(), outcome: "lost" });
      return;
    }
    for (let copies = happens(chaos.duplicate) ? 2 : 1; copies > 0; copies -= 1) {
      const delay = happens(chaos.delay) ? 1 + Math.floor(chaos.random() * (chaos.longestDelayMs ?? HOUR)) : 0;
      this.#after(delay, () => {
        this.#attempt(url, payload, event, 0);
      });
    }
  }

  #attempt(url: string, payload: Payload, event: PostRecord["event"], attempt: number): void {
    const post = postOf(url, attempt === 0 ? payload : new Map(payload).set("retry_count", attempt));
    const record: OpenRecord = { ...post, event, attempt, at: this.#shop.now(), outcome: undefined };
    this.#records.push(record);
    const conclude = (outcome: PostOutcome = 200): void => {
      record.outcome = outcome;
      const pause = RETRY_AFTER[attempt];
      if (event === "test" || pause === undefined || !RETRIED.includes(outcome)) return;
      this.#after(pause, () => {
        this.#attempt(url, payload, event, attempt + 1);
      });
    };
    const outcome = this.deliver(post);
    if (!(outcome instanceof Promise)) {
      conclude(outcome);
      return;
    }
    const way = outcome.then(conclude, () => {
      conclude("unreachable");
    }).finally(() => this.#onTheirWay.delete(way));
    this.#onTheirWay.add(way);
  }

  #after(milliseconds: number, happen: () => void): void {
    if (milliseconds <= 0) happen();
    else this.#shop.agenda.put({ at: this.#shop.now() + milliseconds, due: "ping", happen });
  }
}

function postOf(url: string, payload: Payload): Post {
  const json = new URL(url).hostname.endsWith("zapier.com");
  return { url, contentType: json ? "application/json" : "application/x-www-form-urlencoded",
    body: json ? encodeJson(payload) : encodeForm(payload) };
}
