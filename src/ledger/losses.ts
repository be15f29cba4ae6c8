import { createHash } from "node:crypto";

import * as z from "zod/mini";

import { putItem, readItem, removeItem, updateItem, type ItemKey, type Table } from "../dynamo/table.ts";

/**
 * How many buyers lose a product, and whose removals wait for a person. In the ledger's table:
 *
 * | pk | sk | what |
 * |---|---|---|
 * | `losses#PRODUCT` | `hour#2026-01-05T19` | tags of the buyers who lost the product in that hour (UTC) |
 * | `holders#PRODUCT` | `count` | how many buyers hold the product, as last counted |
 * | `held#PRODUCT` | `buyer#EMAIL` | a buyer with a held removal: whom release and keep go to |
 *
 * Emails are normalized. Every method throws TemporaryError LEDGER_UNREACHABLE when DynamoDB can't be had.
 */
export type Losses = ReturnType<typeof dynamoLosses>;

const LEAST = 25;
const ONE_IN = 20;
/** 10,000 tags are some 90 KB of an item's 400. Who has more than 200,000 holders is asked earlier than at 5 %. */
const MOST = 10_000;
/** An hour's tags are of no use after it; two days leave time to look at them. */
const KEPT_SECONDS = 2 * 24 * 60 * 60;
/** 48 bits: among 10,000 buyers two share a tag once in millions of hours, and then one more goes. */
const TAG_LENGTH = 8;

const holdersShape = z.object({ holders: z._default(z.number(), 0) });

/** How many buyers may lose a product in one hour, by how many hold it: 5 %, but at least 25 and at most 10,000. */
export function mostLosses(holders: number): number {
  return Math.min(MOST, Math.max(LEAST, Math.floor(holders / ONE_IN)));
}

/** The losses in the ledger's table. */
export function dynamoLosses(table: Table) {
  return {
    /**
     * Whether this buyer may lose the product in this hour (`now` in epoch ms): one of the first `mostLosses` buyers
     * who do. The same buyer again is one buyer. Asked at once from many sides, no more are let through.
     */
    permit: async (productId: string, email: string, now: number): Promise<boolean> => {
      const tag = tagOf(email);
      return updateItem(table, hourKey(productId, now), "ADD buyers :tags SET expiresAt = :end", {
        condition: "attribute_not_exists(buyers) OR contains(buyers, :tag) OR size(buyers) < :most",
        values: { ":tags": new Set([tag]), ":tag": tag, ":most": mostLosses(await holdersOf(table, productId)),
          ":end": Math.floor(now / 1_000) + KEPT_SECONDS },
      });
    },
    /** Lists the buyer among those with held removals of the product; twice is once. */
    noteHeld: (productId: string, email: string): Promise<unknown> => putItem(table, heldKey(productId, email)),
    noteReleased: (productId: string, email: string): Promise<void> => removeItem(table, heldKey(productId, email)),
  };
}

/** Writes down how many buyers hold a product. Until it is known, the least is let through. */
export async function setHolders(table: Table, productId: string, holders: number): Promise<void> {
  await putItem(table, { ...holdersKey(productId), holders });
}

/** How many buyers hold a product, as last written down; 0 until then. */
export async function holdersOf(table: Table, productId: string): Promise<number> {
  return holdersShape.parse((await readItem(table, holdersKey(productId))) ?? {}).holders;
}

/** A buyer as an hour's item names them. */
export function tagOf(email: string): string {
  return createHash("sha256").update(email).digest("base64url").slice(0, TAG_LENGTH);
}

function holdersKey(productId: string): ItemKey {
  return { pk: `holders#${productId}`, sk: "count" };
}

/** Where the tags are of who lost a product in the hour of a moment (epoch ms). */
export function hourKey(productId: string, at: number): ItemKey {
  return { pk: `losses#${productId}`, sk: `hour#${new Date(at).toISOString().slice(0, "2026-01-05T19".length)}` };
}

/** Where a buyer with held removals of a product is listed. */
export function heldKey(productId: string, email: string): ItemKey {
  return { pk: `held#${productId}`, sk: `buyer#${email}` };
}
