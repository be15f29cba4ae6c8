import type { GumroadEmulator } from "gumroad-emulator";
import type { Option } from "gumroad-emulator/products";
import { ShopError } from "gumroad-emulator/shop-error";
import type { Sale } from "gumroad-emulator/sale";

import { changeEmail } from "../pipeline/login-address.ts";
import { actMessage, actOf, send } from "../pipeline/operator-messages.ts";
import { BUNDLE, CLUB, HANDBOOK, type Random } from "../pipeline/random-shop.ts";
import { rolesByTheBooks } from "../properties/shop-truth.ts";
import type { Stack } from "../../local/stack.ts";

/** What people and sellers do besides what every history of a shop has. */
export const STORIES = ["gifted bundle", "late bundle", "renamed option", "shared Auth0 user", "transfer"] as const;

/** The name of one. */
export type StoryName = (typeof STORIES)[number];

/** Plays such stories, and knows what they come to. */
export interface Stories {
  readonly counts: ReadonlyMap<StoryName, number>;
  /** Plays some, as much as there is to play them on. */
  play(): Promise<void>;
  /** The roles that each user at Auth0 should have, by email: by the shop's books and what happened besides. */
  expected(): ReadonlyMap<string, readonly string[]>;
}

/** So many of each at a time. */
const AT_A_TIME = 2;

/**
 * Stories in a running stack. `unlost` carries out what no listing tells, so that its ping must not be lost;
 * `auth0Secret` is the application's secret at this moment.
 */
export function stories(stack: Stack,
  { random, email, unlost, auth0Secret }: { readonly random: Random; readonly email: () => string;
    readonly unlost: (act: () => void) => void; readonly auth0Secret: () => string }): Stories {
  const { gumroad } = stack;
  const counts = new Map<StoryName, number>();
  /** Where a moved purchase is now, by the sale's id. */
  const moved = new Map<string, string>();
  /** The address that a login has now, and whose it was. */
  const shared = new Map<string, string>();
  const names = new Map<string, Set<string>>();
  const count = (story: StoryName) => counts.set(story, (counts.get(story) ?? 0) + 1);
  const oneOf = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];

  async function transfer(): Promise<void> {
    const owned = new Set((await stack.ledger()).flatMap(({ pk, owner }) => (typeof owner === "string" ? [pk] : [])));
    const movable = gumroad.sales.filter((sale) =>
      isPlain(sale) && !moved.has(sale.id) && owned.has(`source#sale:${sale.id}`)
    );
    const sale = oneOf(movable);
    if (sale === undefined) return;
    const to = `heir.${String(moved.size)}@example.com`;
    moved.set(sale.id, to);
    const act = actOf({ kind: "move", to }, gumroad.now());
    await send(stack, actMessage(sale.email, `sale:${sale.id}`, act), act.id);
    count("transfer");
  }

  async function share(): Promise<void> {
    const user = oneOf(
      stack.auth0.users().filter(({ email: at = "", roles }) =>
        roles.length > 0 && at.startsWith("buyer") && !shared.has(at)
      ),
    );
    if (user?.email === undefined) return;
    const address = `new.${user.email}`;
    await changeEmail(stack.auth0, user.user_id, address, auth0Secret());
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

  function books() {
    const sales = gumroad.sales.map((
      sale,
    ) => (moved.has(sale.id) ? { ...sale, email: moved.get(sale.id) ?? "" } : sale));
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
      await share();
    }
    unlost(() => {
      if (addToBundle(gumroad)) count("late bundle");
    });
  }, expected: () => {
    const roles = new Map(rolesByTheBooks(books()));
    for (const [address, first] of shared) {
      roles.set(address, [...new Set([...(roles.get(address) ?? []), ...(roles.get(first) ?? [])])].sort());
      roles.delete(first);
    }
    return roles;
  } };
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
