import type { GumroadEmulator } from "gumroad-emulator";
import type { Option } from "gumroad-emulator/products";
import { ShopError } from "gumroad-emulator/shop-error";
import type { Sale } from "gumroad-emulator/sale";

import type { Claimant } from "../../src/access/facts.ts";
import { type Claim, recordShape } from "../../src/ledger/record.ts";
import { changeEmail } from "../pipeline/login-address.ts";
import { actMessage, actOf, send } from "../pipeline/operator-messages.ts";
import { BUNDLE, CLUB, HANDBOOK, type Random } from "../pipeline/random-shop.ts";
import { rolesByTheBooks } from "../properties/shop-truth.ts";
import type { Stack } from "../../local/stack.ts";
import type { Claiming } from "./claiming.ts";

/** What people and sellers do besides what every history of a shop has. */
export const STORIES = ["gifted bundle", "late bundle", "renamed option", "shared Auth0 user", "transfer",
  "claim by an email", "claim by an account"] as const;

/** The name of one. */
export type StoryName = (typeof STORIES)[number];

/** Plays such stories, and knows what they come to. */
export interface Stories {
  readonly counts: ReadonlyMap<StoryName, number>;
  /** Plays some, as much as there is to play them on. */
  play(): Promise<void>;
  /**
   * The roles that each user at Auth0 should have, by email: by the shop's books and what happened besides, of which
   * `ledger` says whether a claim was granted or is a request.
   */
  expected(ledger: Ledger): ReadonlyMap<string, readonly string[]>;
  /** Claims of which nothing became, or a request where nobody had a better right. */
  wrongClaims(ledger: Ledger): readonly string[];
}

/** Items of the ledger. */
type Ledger = readonly Readonly<Record<string, unknown>>[];

/** So many of each at a time. */
const AT_A_TIME = 2;

/**
 * Stories in a running stack. `unlost` carries out what no listing tells, so that its ping must not be lost;
 * `auth0Secret` is the application's secret at this moment; `show` has somebody show a licence key.
 */
export function stories(stack: Stack,
  { random, email, unlost, auth0Secret, show }: { readonly random: Random; readonly email: () => string;
    readonly unlost: (act: () => void) => void; readonly auth0Secret: () => string;
    readonly show: Claiming["show"] }): Stories {
  const { gumroad } = stack;
  const counts = new Map<StoryName, number>();
  /** Where a moved purchase is now, by the sale's id. */
  const moved = new Map<string, string>();
  /** The address that a login has now, and whose it was. */
  const shared = new Map<string, string>();
  /** Who showed a purchase's licence key, by the sale's id. */
  const claims = new Map<string, Claimant>();
  const names = new Map<string, Set<string>>();
  const count = (story: StoryName) => counts.set(story, (counts.get(story) ?? 0) + 1);
  const oneOf = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];

  /** A purchase that its buyer's record has, and that nobody moved or claimed. */
  async function oneOwned(): Promise<Sale | undefined> {
    const owned = new Set((await stack.ledger()).flatMap(({ pk, owner }) => (typeof owner === "string" ? [pk] : [])));
    return oneOf(
      gumroad.sales.filter((sale) =>
        isPlain(sale) && !moved.has(sale.id) && !claims.has(sale.id) && owned.has(`source#sale:${sale.id}`)
      ),
    );
  }

  async function transfer(): Promise<void> {
    const sale = await oneOwned();
    if (sale === undefined) return;
    const to = `heir.${String(moved.size)}@example.com`;
    moved.set(sale.id, to);
    const act = actOf({ kind: "move", to }, gumroad.now());
    await send(stack, actMessage(sale.email, `sale:${sale.id}`, act), act.id);
    count("transfer");
  }

  async function claim(kind: "email" | "name"): Promise<void> {
    const sale = await oneOwned();
    if (sale?.license === undefined) return;
    const nth = String(claims.size);
    const by: Claimant = kind === "email" ? `email:claimant.${nth}@example.com` : `name:claimant${nth}`;
    claims.set(sale.id, by);
    await show(stack, by, sale.license.key);
    count(kind === "email" ? "claim by an email" : "claim by an account");
  }

  async function share(): Promise<void> {
    const user = oneOf(
      stack.auth0.users().filter(({ email: at = "", roles }) =>
        roles.length > 0 && at.startsWith("buyer") && !shared.has(at)
      ),
    );
    if (user?.email === undefined) return;
    const address = `new.${user.email}`;
    try {
      await changeEmail(stack.auth0, user.user_id, address, auth0Secret());
    } catch {
      // The secret was rotated, or a fault hit, between two of its calls: somebody else tries later.
      return;
    }
    shared.set(address, user.email);
    gumroad.sell({ product: HANDBOOK, email: address });
    count("shared Auth0 user");
  }

  function rename(): void {
    const club = gumroad.products.find(({ id }) => id === CLUB);
    const tier = club?.kind === "membership" ? oneOf(club.tiers) : undefined;
    if (tier === undefined) return;
    const known = names.get(tier.id) ?? new Set([tier.name]);
    names.set(tier.id, known);
    const plain = tier.name.trim().toLowerCase();
    const next = oneOf([` ${plain}`, plain.toUpperCase(), `${plain[0]?.toUpperCase() ?? ""}${plain.slice(1)}`]) ??
      tier.name;
    if (next === tier.name) return;
    gumroad.renameTier(CLUB, tier.name, next);
    known.add(next);
    count("renamed option");
  }

  function books(ledger: Ledger) {
    const states = statesOf(ledger);
    const sales = gumroad.sales.map((sale) => {
      const by = claims.get(sale.id) ?? "";
      const claimant = by.startsWith("email:") && states.get(`sale:${sale.id} ${by}`) === "granted"
        ? by.slice("email:".length)
        : undefined;
      return { ...sale, email: moved.get(sale.id) ?? claimant ?? sale.email };
    });
    return { sales, subscriptions: gumroad.subscriptions, now: () => gumroad.now(),
      namesSince: (tier: Option) => [...(names.get(tier.id) ?? [tier.name])], contentsOf: (productId: string) => {
        const product = gumroad.products.find(({ id }) => id === productId);
        return product?.kind === "bundle" ? product.contains : [];
      } };
  }

  return { counts, play: async () => {
    for (let nth = 0; nth < AT_A_TIME; nth += 1) {
      unlost(() => {
        gumroad.sell({ product: BUNDLE, email: email(), gift: { to: email() } });
      });
      count("gifted bundle");
      rename();
      await transfer();
      await claim("email");
      await claim("name");
      await share();
    }
    unlost(() => {
      if (addToBundle(gumroad)) count("late bundle");
    });
  }, wrongClaims: (ledger) => {
    const states = statesOf(ledger);
    const addresses = new Set(shared.values());
    return [...claims].flatMap(([id, by]) => {
      const state = states.get(`sale:${id} ${by}`);
      const sale = gumroad.sales.find((each) => each.id === id);
      // What was paid back may have been so when the key was shown; whose address changed may have logged in.
      const isClear = sale !== undefined && isUntouched(sale) && !addresses.has(sale.email);
      return state === undefined || (isClear && state !== "granted")
        ? [`the claim of ${id} by ${by} is ${state ?? "lost"}`]
        : [];
    });
  }, expected: (ledger) => {
    const roles = new Map(rolesByTheBooks(books(ledger)));
    for (const [address, first] of shared) {
      roles.set(address, [...new Set([...(roles.get(address) ?? []), ...(roles.get(first) ?? [])])].sort());
      roles.delete(first);
    }
    return roles;
  } };
}

/** What became of each claim, by its source and who made it. */
function statesOf(ledger: Ledger): ReadonlyMap<string, Claim["state"]> {
  return new Map(
    ledger.filter(({ sk }) => sk === "record").flatMap(({ record }) => recordShape.parse(record).claims ?? []).map((
      { source, by, state },
    ) => [`${source} ${by}`, state]),
  );
}

function isUntouched({ refundedCents, disputedAt }: Sale): boolean {
  return refundedCents === 0 && disputedAt === undefined;
}

/** Bought by itself, for oneself, once: what nothing else comes with or hangs on. */
function isPlain(
  { state, productId, bundleSaleId, subscriptionId, giftPartnerId, test, email, refunded }: Sale,
): boolean {
  return state === "charged" && productId === HANDBOOK && bundleSaleId === undefined && subscriptionId === undefined &&
    giftPartnerId === undefined && test !== true && refunded !== true && email.startsWith("buyer");
}

/** The seller puts a product into the bundle, if it isn't in it yet. */
function addToBundle(gumroad: GumroadEmulator): boolean {
  try {
    return gumroad.addToBundle(BUNDLE, HANDBOOK).length > 0;
  } catch (error) {
    if (error instanceof ShopError) return false;
    throw error;
  }
}
