import { entriesOf, isSourceId, type SourceId } from "../../src/access/facts.ts";
import { normalizedEmail } from "../../src/gumroad/email.ts";
import { dynamoGifts } from "../../src/ledger/gifts.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { tenantAdmin } from "../admin/tenant-admin.ts";
import { dynamoHistory, type History, type SourceTraces } from "../ledger/history.ts";
import { everyRecord } from "../ledger/records.ts";
import { everyUnread, unreadBy } from "../ledger/unread.ts";
import { serviceShop } from "../shop/shop-of.ts";
import { serviceCredentials } from "../stage/directory.ts";
import { explained } from "./explain.ts";
import type { Explanation, GiftMade } from "./explanation.ts";
import type { ToldLetter } from "./discard.ts";
import { findBuyers, isAbout, type FoundBuyer } from "./find-buyers.ts";
import { lettersOf } from "./letters-of.ts";
import { queueState } from "./status.ts";
import { CALL_MS, once, type Operating } from "./operating.ts";

/** What somebody typed; `search` also looks through the whole ledger for what is theirs and nobody's yet. */
export interface ExplainRequest {
  readonly who: string;
  readonly search: boolean;
}

/** A purchase of somebody else's of which a charge was seen under an email. */
export interface SeenUnder {
  readonly source: SourceId;
  readonly owner: string;
}

/** What was found apart from the record. With `search` was looked through what is null otherwise. */
export interface Searched {
  /** Of the dead-letter queue, what names this email. */
  readonly letters: readonly ToldLetter[];
  /** What was told of this email's purchases, and waits for word of their sale. */
  readonly unsold: readonly HistoryEvent[] | null;
  readonly seen: readonly SeenUnder[] | null;
}

/** Whom a text means: one buyer with all that is to be said of them, or why not. */
export type Answer =
  /** A purchase that nobody has made yet, as far as is known. */
  | { readonly kind: "not sold"; readonly source: SourceId; readonly traces: SourceTraces }
  /** Nobody fits, or several. */
  | { readonly kind: "unclear"; readonly found: readonly FoundBuyer[] }
  | (Searched & {
    readonly kind: "unknown";
    readonly meant: FoundBuyer;
    readonly gave: readonly GiftMade[];
    /** Messages in the queue: what came a moment ago may be among them. */
    readonly queued: number;
  })
  | (Searched & { readonly kind: "known"; readonly meant: FoundBuyer; readonly explanation: Explanation });

/** Finds whom a text means, and explains them. Reads Auth0 and Gumroad, changes nothing. Throws as `findBuyers`. */
export async function explainedWho({ who, search }: ExplainRequest, operating: Operating): Promise<Answer> {
  const { stage, ledger, policy, directory, now } = operating;
  const table = ledgerTable(stage.dynamo, stage.ledger);
  const history = dynamoHistory(stage.dynamo, stage.ledger);
  const shop = once(() => serviceShop(operating));
  const typed = normalizedEmail(who.trim());
  if (isSourceId(who)) {
    const traces = await history.ofSource(who);
    if (traces.owner === null) {
      const waiting = (await everyUnread(table)).find((each) => isAbout(each, who));
      if (waiting !== undefined) return about({ email: waiting.buyer, because: `waits for word of ${who}` });
      return { kind: "not sold", source: who, traces };
    }
    return about({ email: traces.owner, because: `owns ${who}` });
  }
  if (search && typed !== null) return about({ email: typed, because: "has this email" });
  const found = await findBuyers(who, { operating, gave,
    order: async (number) => (await (await shop())?.saleOfOrder(number, AbortSignal.timeout(CALL_MS))) ?? null });
  const [first, another] = found;
  if (first === undefined && typed !== null) return about({ email: typed, because: "has this email" });
  if (first === undefined || another !== undefined) return { kind: "unclear", found };
  return about(first);

  async function about(meant: FoundBuyer): Promise<Answer> {
    const { email } = meant;
    const stored = await ledger.load(email);
    const told = await history.of(email);
    const record = { ...stored, sources: { ...(await history.apartFrom(stored, told)), ...stored.sources } };
    const events = await withEarlier(told, record, history);
    const unread = await unreadBy(table, email);
    const searched: Searched = { letters: await lettersOf(email, stage),
      unsold: search ? await history.unsoldOf(email) : null, seen: search ? await seenUnder(email, operating) : null };
    if (record.version === 0 && events.length === 0 && unread.length === 0) {
      const { waiting, inFlight } = await queueState(stage, stage.queue);
      return { kind: "unknown", meant, gave: await gave(email), queued: waiting + inFlight, ...searched };
    }
    const admin = once(async () => tenantAdmin(await serviceCredentials(operating)));
    const explanation = await explained({ record, events, unread, policy: await policy(), gave: await gave(email),
      directory, shop, now: now(),
      logins: async (userId) => (await admin()).logins(userId, AbortSignal.timeout(CALL_MS)) });
    return { kind: "known", meant, explanation, ...searched };
  }

  /** Pings that were trusted told of them; else Gumroad does, if it can be asked. */
  async function gave(giver: string): Promise<readonly GiftMade[]> {
    const told = (await dynamoGifts(table).of(giver)).flatMap(({ saleId, productId, receiver }): GiftMade[] =>
      receiver === null ? [] : [{ source: `sale:${saleId}`, productId, receiver }]
    );
    const ask = async () => (await shop())?.giftsOf(giver, AbortSignal.timeout(CALL_MS));
    const asked = (await ask().catch(() => undefined) ?? []).flatMap(({ saleId, productId, receiver }): GiftMade[] => {
      const to = normalizedEmail(receiver);
      const isTold = told.some((each) => each.productId === productId && each.receiver === to);
      return to === null || isTold ? [] : [{ source: `sale:${saleId}`, productId, receiver: to }];
    });
    return [...told, ...asked];
  }
}

/** Other buyers' sources of which a charge was seen under this email. Reads the whole ledger. */
async function seenUnder(email: string, { stage }: Operating): Promise<readonly SeenUnder[]> {
  const found: SeenUnder[] = [];
  for await (const { records } of everyRecord(ledgerTable(stage.dynamo, stage.ledger))) {
    for (const { email: owner, sources } of records.filter((record) => record.email !== email)) {
      found.push(
        ...entriesOf(sources).filter(([, { emails }]) => emails.includes(email)).map(([source]) => ({ source,
          owner })
        ),
      );
    }
  }
  return found;
}

/** All that was told of a buyer, in order: also what came before its sale, when nobody knew whose it was. */
async function withEarlier(told: readonly HistoryEvent[], { sources }: BuyerRecord,
  history: History): Promise<readonly HistoryEvent[]> {
  const early: HistoryEvent[] = [];
  for (const [id] of entriesOf(sources)) early.push(...(await history.ofSource(id)).events);
  return [...early, ...told].sort((a, b) => a.receivedAt - b.receivedAt);
}
