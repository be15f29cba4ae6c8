import * as z from "zod";

import { entriesOf, isSourceId, isSubscription, type Source, type SourceId } from "../../src/access/facts.ts";
import { queryPages } from "../../src/dynamo/table.ts";
import { sourceOfRow } from "../../src/gumroad/facts.ts";
import { normalizedEmail } from "../../src/gumroad/email.ts";
import { dynamoGivers } from "../../src/ledger/givers.ts";
import { ledgerTable, recordKey } from "../../src/ledger/keys.ts";
import { buyerTag } from "../../src/log.ts";
import type { SaleNow } from "../admin/shop-admin.ts";
import { everyRecord } from "../ledger/records.ts";
import { everyUnread, unreadBy, type Unread } from "../ledger/unread.ts";
import type { GiftMade } from "./explanation.ts";
import type { Operating } from "./operating.ts";

/** A buyer who fits what somebody typed, and why. */
export interface FoundBuyer {
  readonly email: string;
  /** In words, to go on after the email. */
  readonly because: string;
}

/** What finding works with. `order` and `gave` ask the shop: null, or none, where it can't be asked. */
export interface Finding {
  readonly operating: Pick<Operating, "stage" | "ledger" | "tell">;
  readonly order: (number: string) => Promise<Pick<SaleNow, "id" | "subscriptionId"> | null>;
  readonly gave: (giver: string) => Promise<readonly GiftMade[]>;
}

const emailShape = z.object({ pk: z.string() });
/** More are not listed: somebody typed too little. */
const MOST = 50;

/**
 * Finds the buyers whom a text means: an email or a part of one, the tag that logs show, a sale, a subscription, an
 * order number, an Auth0 user, somebody who gave a gift, or an address under which a charge was seen. The cheap ways
 * first; the last one reads all records. Throws what the ledger and the shop throw.
 */
export async function findBuyers(typed: string, { operating, order, gave }: Finding): Promise<readonly FoundBuyer[]> {
  const text = typed.trim();
  const { stage, ledger, tell } = operating;
  const table = ledgerTable(stage.dynamo, stage.ledger);
  const owners = async (ids: readonly SourceId[]): Promise<readonly FoundBuyer[]> => {
    const found = await Promise.all(ids.map(async (id) => ({ id, email: await ledger.owner(id) })));
    return found.flatMap(({ id, email }) => (email === null ? [] : [{ email, because: `owns ${id}` }]));
  };
  const waiting = async (fits: (each: Unread) => string | null): Promise<readonly FoundBuyer[]> =>
    distinct((await everyUnread(table)).flatMap((each) => {
      const because = fits(each);
      return because === null ? [] : [{ email: each.buyer, because }];
    }));
  if (isSourceId(text)) return owners([text]);
  const email = normalizedEmail(text);
  if (email !== null) {
    if ((await ledger.load(email)).version > 0 || (await unreadBy(table, email)).length > 0) {
      return [{ email, because: "has this email" }];
    }
    const gifts = (await gave(email)).map(({ receiver, source }) => ({ email: receiver,
      because: `got the gift ${source} from ${email}` })
    );
    return distinct([...gifts, ...(await inRecords((id, { emails }) =>
      emails.includes(email) ? `has ${id}, seen under ${email}` : null
    ))]);
  }
  if (text.includes("|")) {
    const { givers } = await dynamoGivers(table).of(text);
    return [...givers.keys()].map((giver) => ({ email: giver, because: `has the Auth0 user ${text}` }));
  }
  const bare = await owners([`sale:${text}`, `subscription:${text}`]);
  if (bare.length > 0) return bare;
  const told = await waiting((each) => (isAbout(each, text) ? `waits for word of ${text}` : null));
  if (told.length > 0) return told;
  const ordered = /^\d{4,}$/.test(text) ? await order(text) : null;
  if (ordered !== null) {
    return owners([sourceOfRow(ordered)]);
  }
  const fits = (each: string): string | null =>
    buyerTag(each) === text.toLowerCase()
      ? `has the tag ${text}`
      : each.includes(text.toLowerCase())
      ? `has "${text}" in the email`
      : null;
  const named = distinct([...await waiting(({ buyer }) => fits(buyer)), ...await byEmail(fits)]);
  return named.length > 0
    ? named
    : inRecords((id, { charges }) =>
      isSubscription(id) && charges.some(({ saleId }) => saleId === text)
        ? `has ${id}, of which this is a charge`
        : null
    );

  async function byEmail(fits: (email: string) => string | null): Promise<readonly FoundBuyer[]> {
    const found: FoundBuyer[] = [];
    const query = { IndexName: "buyers", KeyConditionExpression: "sk = :record",
      ExpressionAttributeValues: { ":record": "record" }, ProjectionExpression: "pk" };
    for await (const items of queryPages(table, query)) {
      for (const item of items) {
        const each = emailShape.parse(item).pk.slice(recordKey("").pk.length);
        const because = fits(each);
        if (because !== null && found.push({ email: each, because }) === MOST) return found;
      }
    }
    return found;
  }

  async function inRecords(fits: (id: SourceId, source: Source) => string | null) {
    const found: FoundBuyer[] = [];
    let read = 0;
    for await (const { records } of everyRecord(table)) {
      for (const record of records) {
        for (const [id, source] of entriesOf(record.sources)) {
          const because = fits(id, source);
          if (because !== null) found.push({ email: record.email, because });
        }
      }
      read += records.length;
      tell({ what: "buyers", done: read, total: null });
    }
    return distinct(found);
  }
}

/** Whether what waits unread is about a sale or subscription of this id, bare or with what it is in front. */
export function isAbout({ ids }: Unread, id: string): boolean {
  return ids.includes(id.replace(/^(?:sale|subscription):/, ""));
}

function distinct(found: readonly FoundBuyer[]): readonly FoundBuyer[] {
  return [...new Map(found.map((each) => [each.email, each])).values()];
}
