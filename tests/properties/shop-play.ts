import fc from "fast-check";

import { shopActs } from "gumroad-emulator/acts";
import { Clock } from "gumroad-emulator/clock";
import { encodeForm } from "gumroad-emulator/form-encoding";
import { scheduleReleases } from "gumroad-emulator/preorders";
import { salePing } from "gumroad-emulator/sale-ping";
import { ShopError } from "gumroad-emulator/shop-error";
import type { Option, Product } from "gumroad-emulator/products";
import { Shop } from "gumroad-emulator/shop";
import { parseForm } from "../../src/gumroad/form.ts";
import { readPing, type Ping } from "../../src/gumroad/ping.ts";
import { DAY } from "../access/purchases.ts";
import { HAPPENINGS, THEMES, type Scene, type Telling, type What } from "./shop-happenings.ts";
import { OperatorsBook } from "./shop-operators.ts";
import { OPENING, type Market } from "./shop-terms.ts";
import { contentsOf, isHidden, toldByOperator, toldByPing, toldByRows, type Told } from "./shop-told.ts";
import { rolesByTheBooks } from "./shop-truth.ts";

const MINUTE = 60_000;
const BUYERS = ["ann@example.com", "bo@example.com", "cy@example.com"];

/** Something that happens. The numbers pick among what is there at that time. */
export interface Happening {
  readonly what: What;
  /** Of the product, if one is picked. */
  readonly kind: Product["kind"];
  readonly product: number;
  /** Picks a sale or a subscription. */
  readonly thing: number;
  readonly who: number;
  /** Picks a tier, a number of days and the like. */
  readonly which: number;
  /** Whether everybody's roles are asked for afterwards. */
  readonly ask: boolean;
}

/** A moment at which everybody's roles are asked for. */
export interface Moment {
  /** Epoch ms. */
  readonly at: number;
  /** The roles by the books, by email. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  /** Pings and operators' acts until then. */
  readonly told: readonly Told[];
  /** What Gumroad's API shows at that moment. */
  readonly rows: readonly Told[];
}

/** Any history of a shop: about some kinds of products, and what can happen to these. */
export const anyHistory: fc.Arbitrary<readonly Happening[]> = fc.constantFrom(...THEMES).chain(
  ({ kinds, happenings }) => {
    const happening = (what: readonly What[]) =>
      // Without fast-check's bias towards small numbers, which would leave all on the first days of the first product.
      fc.noBias(
        fc.record({ what: fc.constantFrom(...what), kind: fc.constantFrom(...kinds), product: fc.nat(3),
          thing: fc.nat(19), who: fc.nat(5), which: fc.nat(11), ask: fc.integer({ min: 0, max: 3 }).map((n) =>
            n === 0
          ) }),
      );
    return fc.tuple(happening(["buy"]),
      fc.array(happening(["buy", ...happenings]), { minLength: 3, maxLength: 24, size: "max" })).map((
        [first, rest],
      ) => [first, ...rest]);
  },
);

/** Plays a history. The last moment is its end. */
export function play(market: Market, history: readonly Happening[], telling: Telling): readonly Moment[] {
  const played = new Played(market, telling);
  return history.flatMap((happening, index) => {
    played.happen(happening);
    return happening.ask || index === history.length - 1 ? [played.moment()] : [];
  });
}

/** A shop in which things happen, and all that is told of it. */
class Played {
  readonly #market: Market;
  readonly #telling: Telling;
  readonly #shop: Shop;
  readonly #operators = new OperatorsBook();
  readonly #grantees = new Set<string>();
  readonly #told: Told[] = [];
  readonly #names = new TierNames();
  readonly #forged: { readonly id: string; readonly at: number; readonly tier: string }[] = [];
  /** Whose a source was when its email was first changed: who is known to have bought it stays that. */
  readonly #owners = new Map<string, string>();

  constructor(market: Market, telling: Telling) {
    this.#market = market;
    this.#telling = telling;
    this.#shop = new Shop({ sellerId: "seller", subdomain: "acme", products: market.products, feeCents: 0,
      clock: new Clock(() => OPENING), idSeed: "history" });
    scheduleReleases(this.#shop);
    this.#shop.announce = (_, build) => {
      const payload = build();
      if (payload !== undefined) {
        this.#tell(readPing(parseForm(encodeForm(payload))));
      }
    };
  }

  /** What came with a gifted bundle is on no list, so nothing makes up for its ping. */
  #tell(ping: Ping): void {
    const told = this.#owned(toldByPing(ping, this.#shop.now()));
    const isGiftedChild = ping.event === "sale" && ping.gift &&
      this.#shop.sale(ping.saleId).bundleSaleId !== undefined;
    this.#told.push({ ...told, irreplaceable: told.irreplaceable || isGiftedChild });
  }

  #owned(told: Told): Told {
    return { ...told, buyer: (told.buyer && this.#owners.get(told.source)) ?? told.buyer };
  }

  happen(happening: Happening): void {
    try {
      HAPPENINGS[happening.what](this.#sceneOf(happening));
    } catch (error) {
      if (!(error instanceof ShopError)) throw error;
    }
    // Gumroad's times are whole seconds, and nobody does two things within one.
    this.#pass(MINUTE);
  }

  moment(): Moment {
    const now = this.#shop.now();
    const word = (about: string) => this.#operators.lastWord(about, now);
    const roles = new Map(
      rolesByTheBooks({ sales: [...this.#shop.sales.values()], subscriptions: [...this.#shop.subscriptions.values()],
        now: () => now, namesSince: (tier, since) => this.#names.since(tier, since), ownerOf: (source) =>
          this.#owners.get(source), forged: (id) => this.#forged.filter((each) => each.id === id),
        contentsOf: (productId) => contentsOf(this.#shop.product(productId)), movedAt: (id) =>
          this.#operators.movedAt(id), isHidden }, this.#market.policy, word, this.#telling === "pings"),
    );
    for (const email of this.#grantees) {
      const others = roles.get(email) ?? [];
      roles.set(email, word(`guest ${email}`) === "has" ? [...others, "guest"].sort() : others);
    }
    return { at: now, roles, told: [...this.#told],
      rows: this.#telling === "pings" ? [] : toldByRows(this.#shop).map((told) => this.#owned(told)) };
  }

  /** Moves time: what falls due happens in order. */
  #pass(milliseconds: number): void {
    const { clock, agenda } = this.#shop;
    const until = clock.now() + milliseconds;
    for (let due = agenda.next(until); due !== undefined; due = agenda.next(until)) {
      clock.moveTo(due.at);
      due.happen();
    }
    clock.moveTo(until);
  }

  #sceneOf({ kind, product, thing, who, which }: Happening): Scene {
    const shop = this.#shop;
    const sales = [...shop.sales.values()];
    const paid = sales.filter(({ state, bundleSaleId }) =>
      state !== "preorderAuthorized" && bundleSaleId === undefined
    );
    const { products, policy } = this.#market;
    return { acts: shopActs(() => shop), telling: this.#telling, now: shop.now(), sales, products, get product() {
      return picked(products.filter((each) => each.kind === kind), product);
    }, get row() {
      return recent(sales, thing);
    }, get sale() {
      return recent(paid, thing);
    }, get subscription() {
      return recent([...shop.subscriptions.values()], thing);
    }, email: picked(BUYERS, who), other: picked(BUYERS, who + 1 + (which % 2)), which,
      termsOf: (productId) => policy.get(productId), pass: (milliseconds) => {
        this.#pass(milliseconds);
      }, resend: (sale) => {
        shop.announce("sale",
          () => salePing(shop, sale.state === "giftGiver" ? shop.sale(sale.giftPartnerId ?? "") : sale, "sale"));
      }, subscriptions: [...shop.subscriptions.values()],
      isAsEver: (tier) =>
        tier === undefined || tier.name.trim().toLowerCase() === this.#names.first(tier).toLowerCase(),
      rename: (productId, tier, number) => {
        const first = this.#names.first(tier);
        const to = [`${first} (2026)`, ` ${first.toUpperCase()}`, first][number % 3] ?? first;
        // Everything was read while it had its name, and can't be read so again.
        if (this.#telling !== "pings") {
          this.#told.push(
            ...toldByRows(shop).map((told) => ({ ...this.#owned(told), irreplaceable: true, unlisted: null })),
          );
        }
        this.#names.begin(tier);
        shopActs(() => shop).renameTier(productId, tier.name, to);
        this.#names.note(tier, shop.now());
      }, makeUp: ({ id, productId, plan }, number) => {
        const now = shop.now();
        const [tier, at] = [number % 2 === 0 ? "Nonsense" : null, now + (number - 3) * DAY];
        const from = { tier: plan.tier?.name ?? null, recurrence: plan.recurrence, priceCents: plan.priceCents,
          quantity: plan.quantity };
        this.#told.push(
          toldByPing({ event: "subscription_updated", subscriptionId: id, productId, email: BUYERS[0] ?? "", at,
            type: number % 3 === 0 ? "downgrade" : "upgrade",
            from: { ...from, tier: tier === null ? null : from.tier }, to: { ...from, tier } }, now),
        );
      }, forge: ({ id, productId, plan }, tier) => {
        const now = shop.now();
        const from = { tier: plan.tier?.name ?? null, recurrence: plan.recurrence, priceCents: plan.priceCents,
          quantity: plan.quantity };
        this.#forged.push({ id, at: now, tier: this.#names.first(tier) });
        this.#told.push(
          toldByPing({ event: "subscription_updated", subscriptionId: id, productId, email: BUYERS[0] ?? "",
            at: now + DAY, type: "upgrade", from, to: { ...from, tier: this.#names.first(tier) } }, now),
        );
      }, changeEmail: (sale) => {
        // A first ping or a row came before.
        for (const { source, buyer, recurring } of toldByRows(shop)) {
          if (buyer !== null && !recurring && !this.#owners.has(source)) this.#owners.set(source, buyer);
        }
        shopActs(() => shop).changeEmail(sale, `moved.${sale.email}`);
      }, decide: ({ id, productId, subscriptionId }, decision) => {
        const act = this.#operators.note(subscriptionId ?? id, actTime(shop.now()), decision);
        this.#told.push(
          toldByOperator(subscriptionId === undefined ? `sale:${id}` : `subscription:${subscriptionId}`, productId,
            null, act),
        );
      }, grant: (email, decision) => {
        this.#grantees.add(email);
        this.#told.push(
          toldByOperator("grant:guest", "", email,
            this.#operators.note(`guest ${email}`, actTime(shop.now()), decision)),
        );
      } };
  }
}

/** What tiers were called, and from when on. */
class TierNames {
  readonly #names = new Map<string, { readonly name: string; readonly at: number }[]>();

  first({ id, name }: Option): string {
    return this.#names.get(id)?.[0]?.name ?? name;
  }

  /** Writes its name down before the first rename. */
  begin(tier: Option): void {
    if (!this.#names.has(tier.id)) this.note(tier, 0);
  }

  /** Writes a new name down. */
  note({ id, name }: Option, at: number): void {
    this.#names.set(id, [...(this.#names.get(id) ?? []), { name, at }]);
  }

  /** All names that it had from then on. */
  since(tier: Option, moment: number): readonly string[] {
    const names = this.#names.get(tier.id) ?? [{ name: tier.name, at: 0 }];
    return names.filter((_, index) => (names[index + 1]?.at ?? Number.POSITIVE_INFINITY) > moment).map(({ name }) =>
      name
    );
  }
}

/** Operators' acts are told by the day, so that now and then two fall on one moment. */
function actTime(now: number): number {
  return now - (now % DAY);
}

/** Mostly one of the last three, so that things happen to one that something happened to. */
function recent<T>(among: readonly T[], which: number): T {
  return picked(which % 5 === 0 ? among : among.slice(-3), which);
}

function picked<T>(among: readonly T[], which: number): T {
  const [one] = among.slice(which % Math.max(1, among.length));
  if (one === undefined) throw new ShopError("NOT_POSSIBLE_NOW", "There is none yet");
  return one;
}
