import type { Act, Source, SourceId } from "../access/facts.ts";
import { canBeOneGift } from "../access/gifts.ts";
import { NeedsPersonError, RefusedError } from "../errors.ts";
import { factsOfPing, sourceOfPing } from "../gumroad/facts.ts";
import type { GiftSide } from "../ledger/gifts.ts";
import type { HistoryEvent } from "../ledger/ledger.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { log } from "../log.ts";
import { needsPerson } from "../metrics.ts";
import type { MessageOf } from "../queue/message.ts";
import type { Provisioning } from "./context.ts";
import { forward, isMine, moveSource, withWaiting, type Told } from "./owners.ts";

/**
 * Takes a ping at its word, where no token allows to ask Gumroad. Gives the facts that are this buyer's; null where
 * they went to somebody else, or wait on the source's own item until it is sold.
 * @throws {RefusedError} EMAIL_TYPED, OWNER_UNCLEAR, GIFT_UNCLEAR
 * @throws {NeedsPersonError} GUMROAD_TOKEN_GONE
 */
export async function toldOnTrust(record: BuyerRecord, message: MessageOf<"ping">, line: HistoryEvent,
  work: Provisioning): Promise<readonly Told[] | null> {
  const { ping } = message;
  const source = sourceOfPing(ping);
  if ("emailTyped" in ping && ping.emailTyped) {
    throw new RefusedError("EMAIL_TYPED",
      'The product has a custom field "email", which hides the buyer\'s own address in pings: rename the field in ' +
        "Gumroad, or let the service read purchases back.");
  }
  refuseUnread(record.sources[source]);
  const told = factsOfPing(ping, message.receivedAt);
  const facts = message.given ? asGiven(told) : told;
  if (isMine(record, source)) {
    return [{ source, facts: { ...facts, act: await handedBack(source, record, message, work) } }];
  }

  const { ledger } = work.store;
  const item = ping.event === "sale" ? await ledger.claim(source, record.email) : await ledger.park(source, facts);
  if (item.owner === null) {
    await waitOrFindReceiver(source, message, line, work);
    return null;
  }
  if (item.owner !== record.email) {
    await forward(message, source, item.owner, work);
    return null;
  }
  refuseUnread(item.waiting);
  return [withWaiting({ source, facts }, item), ...(await givenTo(record.email, message, work))];
}

/** What the API said stands for the pings: without it, a refund would pass unseen. */
function refuseUnread(known: Source | null | undefined): void {
  if (known && (known.read !== null || known.charges.some(({ read }) => read !== null))) {
    throw new NeedsPersonError("GUMROAD_TOKEN_GONE",
      "This purchase was read back before, and the secret gumroad holds no access token any more: put one in.");
  }
}

/** A source nobody bought yet: its sale may come. A dispute may be of a giver's sale, of which nothing else tells. */
async function waitOrFindReceiver(id: SourceId, message: MessageOf<"ping">, line: HistoryEvent, work: Provisioning) {
  const { ledger, gifts } = work.store;
  const { ping } = message;
  await ledger.remember(`source#${id}`, line);
  if ((ping.event === "dispute" || ping.event === "dispute_won") && ping.subscriptionId === null) {
    const { saleId, productId, soldAt } = ping;
    const given: GiftSide = { side: "given", saleId, productId, soldAt, receiver: null };
    // Written before looking: whichever side comes second finds the other.
    await gifts.note(ping.email, given);
    const [receiver, ...others] = receiversOf(given, await gifts.of(ping.email));
    if (others.length > 0) throw giftUnclear();
    if (receiver !== undefined) {
      const { owner } = await ledger.claim(id, receiver);
      await forward({ ...message, given: true }, id, owner ?? receiver, work);
      return;
    }
  }
  log.info("nobody has bought this source yet: its facts wait", { requestId: message.requestId, event: ping.event,
    source: id });
}

/** The giver's disputed sales that a received gift may have come with. */
async function givenTo(receiver: string, { ping, requestId }: MessageOf<"ping">,
  { store: { ledger, gifts } }: Provisioning): Promise<readonly Told[]> {
  if (ping.event !== "sale" || !ping.gift || ping.gifter === null) return [];
  await gifts.note(ping.gifter, { side: "received", saleId: ping.saleId, productId: ping.productId,
    soldAt: ping.soldAt, receiver });
  const sides = await gifts.of(ping.gifter);
  const told: Told[] = [];
  for (const given of sides.filter((side) => side.side === "given" && canBeOneGift(side, ping))) {
    if (receiversOf(given, sides).length > 1) {
      // The gift itself stands: it must not wait for a person.
      needsPerson(giftUnclear().message, { requestId, causes: ["GIFT_UNCLEAR"] });
      continue;
    }
    const { owner, waiting } = await ledger.claim(`sale:${given.saleId}`, receiver);
    if (owner === receiver && waiting !== null) told.push({ source: `sale:${given.saleId}`, facts: asGiven(waiting) });
  }
  return told;
}

/**
 * The act that moves a source to its own buyer, as an operator would: it was wrongly taken for the giver's side of a
 * gift, which has no `sale` ping. Null for every other.
 */
async function handedBack(source: SourceId, record: BuyerRecord, message: MessageOf<"ping">, work: Provisioning) {
  const { ping, given, pingId, receivedAt } = message;
  const isGiven = record.sources[source]?.charges.some((charge) => charge.gift === "given") === true;
  if (!isGiven || given || ping.event !== "sale" || ping.gift || ping.email === record.email) return null;
  const act: Act = { at: receivedAt, id: `own ${pingId}`, by: "the service",
    why: "a sale ping showed whose purchase it is", decision: { kind: "move", to: ping.email, only: true } };
  await moveSource(source, act, ping.email, message, work);
  return act;
}

function receiversOf(given: GiftSide, sides: readonly GiftSide[]): readonly string[] {
  const received = sides.filter((side) => side.side === "received" && canBeOneGift(side, given));
  return [...new Set(received.flatMap(({ receiver }) => receiver ?? []))];
}

function asGiven(facts: Source): Source {
  return { ...facts, charges: facts.charges.map((charge) => ({ ...charge, gift: "given" })) };
}

function giftUnclear(): RefusedError {
  return new RefusedError("GIFT_UNCLEAR",
    "A giver's sale was disputed, and more than one person got that product from them at that time: look in " +
      "Gumroad whose it was.");
}
