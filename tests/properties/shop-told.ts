import { emptySource, type Act, type Source, type SourceId, type Sources } from "../../src/access/facts.ts";
import { addFacts, mergeSource } from "../../src/access/merge.ts";
import type { Product } from "gumroad-emulator/products";
import { saleJson } from "gumroad-emulator/sale-json";
import { isListed, type Sale } from "gumroad-emulator/sale";
import type { Shop } from "gumroad-emulator/shop";
import { subscriberJson } from "gumroad-emulator/subscriber-json";
import { factsOfPing, sourceOfPing, factsOfSale, factsOfSubscriber, ownerOfRow,
  sourceOfRow } from "../../src/gumroad/facts.ts";
import type { Ping, SalePing } from "../../src/gumroad/ping.ts";
import { saleShape, subscriberShape } from "../../src/gumroad/rows.ts";

/** What the service is told: by a ping, a row of Gumroad's API, or an operator. */
export interface Told {
  readonly source: SourceId;
  readonly facts: Source;
  /** Whom it names as the buyer. Null: nobody. */
  readonly buyer: string | null;
  /** A later charge: it may name an email that the buyer took since. */
  readonly recurring: boolean;
  /** The ping, if it was one. */
  readonly ping: Ping | null;
  /** Nothing but it can tell this, or make anybody ask for it. */
  readonly irreplaceable: boolean;
  /** The sale whose row it is, where no listing of the API shows it: it is only read when a ping names it. */
  readonly unlisted: string | null;
}

/**
 * A ping that came in then (epoch ms), taken at its word. Two kinds have no replacement: the API shows no change of
 * plan before the next charge, and lists no test purchase.
 */
export function toldByPing(ping: Ping, at: number): Told {
  const isSale = ping.event === "sale";
  return { source: sourceOfPing(ping), facts: factsOfPing(ping, at), buyer: isSale ? ping.email : null,
    recurring: isSale && ping.recurring, ping,
    irreplaceable: ping.event === "subscription_updated" || (isSale && ping.test), unlisted: null };
}

/** An operator's act about a source. Only a grant needs a buyer: nobody bought it. */
export function toldByOperator(source: SourceId, productId: string, buyer: string | null, act: Act): Told {
  return { source, facts: { ...emptySource(productId), act }, buyer, recurring: false, ping: null, irreplaceable: true,
    unlisted: null };
}

/** All rows of Gumroad's API as they are now; a dead membership's sale is completed with how the membership ended. */
export function toldByRows(shop: Shop): readonly Told[] {
  const at = shop.now();
  const subscribers = new Map(
    [...shop.subscriptions.values()].map((
      each,
    ) => [each.id, factsOfSubscriber(subscriberShape.parse(subscriberJson(shop, each)), at)]),
  );
  const common = { ping: null, irreplaceable: false };
  const sales = [...shop.sales.values()].map((sale): Told => {
    const row = saleShape.parse(rowOf(shop, sale));
    // All rows are read, which is a listing too; and of a bundle what is in it.
    const { productId, bundle } = row;
    const facts = bundle === "bundle"
      ? { ...factsOfSale(row, at), holds: contentsOf(shop.product(productId)), listedAt: at }
      : factsOfSale(row, at);
    const subscriber = row.dead ? subscribers.get(row.subscriptionId ?? "") : undefined;
    return { ...common, source: sourceOfRow(row),
      facts: subscriber === undefined ? facts : mergeSource(facts, subscriber), buyer: ownerOfRow(row),
      recurring: row.recurring, unlisted: isListed(sale) ? null : sale.id };
  });
  return [...sales,
    ...[...subscribers].map(([id, facts]): Told => ({ ...common, source: `subscription:${id}`, facts, buyer: null,
      recurring: false, unlisted: null })
    )];
}

/**
 * A gift's refund or dispute shows on the giver's row. It isn't sure that it always does on the receiver's: here it
 * does on every other.
 */
export function isHidden({ state, sequence }: Sale): boolean {
  return state === "giftReceiver" && sequence % 2 === 0;
}

function rowOf(shop: Shop, sale: Sale): Record<string, unknown> {
  const row = saleJson(shop, sale);
  return isHidden(sale)
    ? { ...row, refunded: undefined, partially_refunded: undefined, chargedback: false, disputed: false,
      dispute_won: false }
    : row;
}

/**
 * The buyers' records once all this is merged in, in this order: a source is its buyer's, which its first charge
 * names. (In production whatever comes first names the buyer.)
 */
export function recordsOf(all: readonly Told[]): ReadonlyMap<string, Sources> {
  const owners = new Map<SourceId, string>();
  for (const { source, buyer, recurring } of all) {
    if (buyer !== null && !(recurring && owners.has(source))) owners.set(source, buyer);
  }
  const gifts = all.flatMap(({ ping }) => (ping?.event === "sale" && ping.gift ? [ping] : []));

  const records = new Map<string, Sources>();
  const add = (buyer: string, source: SourceId, facts: Source) =>
    records.set(buyer, addFacts(records.get(buyer) ?? {}, source, facts));
  for (const { source, facts, buyer, ping } of all) {
    const owner = source.startsWith("grant:") ? buyer : owners.get(source);
    const given = ping?.event === "dispute" || ping?.event === "dispute_won"
      ? receiverOf(ping, gifts, owners)
      : undefined;
    if (given !== undefined) {
      add(given, source, { ...facts, charges: facts.charges.map((charge) => ({ ...charge, gift: "given" })) });
    } else if (owner !== undefined && owner !== null) add(owner, source, facts);
  }
  return records;
}

/** Who got what a giver's sale paid for, as far as pings tell: the sale itself is in none but those of its dispute. */
function receiverOf(dispute: SalePing, gifts: readonly SalePing[], owners: ReadonlyMap<SourceId, string>):
  | string
  | undefined {
  const gift = gifts.find(({ gifter, productId, soldAt }) =>
    gifter === dispute.email && productId === dispute.productId && soldAt === dispute.soldAt
  );
  return gift && owners.get(sourceOfPing(gift));
}

/** What is in a bundle at that moment. */
export function contentsOf(product: Product): readonly string[] {
  return product.kind === "bundle" ? [...product.contains] : [];
}
