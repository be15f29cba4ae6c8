import * as z from "zod";

import { queryPages, type Item, type Table } from "../../src/dynamo/table.ts";
import { ledgerTable, recordKey } from "../../src/ledger/keys.ts";
import { summaryOf } from "../../src/ledger/record.ts";
import { recordsOf } from "../../src/ledger/survey.ts";
import type { Stage } from "../stage/stage.ts";
import { type Operating, productNamed } from "./operating.ts";

/** Which buyers are listed: those who are all that is given. */
export interface BuyersRequest {
  /** A part of the email, in lower case. */
  readonly text: string | null;
  readonly role: string | null;
  /** A product's id, or its name in the policy: whoever ever bought it. */
  readonly product: string | null;
  /** Only those with something to wait for. */
  readonly isWaiting: boolean;
  /** Only those from whom Auth0 was told to take a role since then (epoch ms). */
  readonly lostSince: number | null;
  /** Goes on after this email; null begins. */
  readonly after: string | null;
  /** At most so many; null: all. */
  readonly most: number | null;
}

/** A buyer in a list. */
export interface ListedBuyer extends ReturnType<typeof summaryOf> {
  readonly email: string;
}

/** A page of buyers, by email. */
export interface BuyersPage {
  readonly buyers: readonly ListedBuyer[];
  /** What to go on after; null at the end. */
  readonly next: string | null;
}

const rowShape = z.object({ pk: z.string(), roles: z.array(z.string()).optional(),
  products: z.array(z.string()).default([]), waits: z.array(z.string()).default([]),
  lost: z.object({ at: z.number(), roles: z.array(z.string()) }).optional() });

/**
 * Lists buyers by the index `buyers`, some thousand a call, and reads no record but those last written before there
 * was the index. An index may be a second behind.
 * @throws {TemporaryError} LEDGER_UNREACHABLE
 */
export async function listBuyers({ product, ...asked }: BuyersRequest,
  { stage, policy, tell }: Pick<Operating, "policy" | "tell"> & {
    readonly stage: Pick<Stage, "dynamo" | "ledger">;
  }): Promise<BuyersPage> {
  const request = { ...asked, product: product === null ? null : productNamed(product, await policy()).id };
  const { most } = request;
  const table = ledgerTable(stage.dynamo, stage.ledger);
  const buyers: ListedBuyer[] = [];
  for await (const items of queryPages(table, queryFor(request))) {
    for (const buyer of await listed(items, table)) {
      if (!isAskedFor(buyer, request)) continue;
      // One more than wanted: there is a next page.
      if (buyers.length === most) return { buyers, next: buyers.at(-1)?.email ?? null };
      buyers.push(buyer);
    }
    tell({ what: "buyers found", done: buyers.length, total: null });
  }
  return { buyers, next: null };
}

/** DynamoDB leaves out who surely isn't asked for. What has no summary yet passes: its record tells. */
function queryFor({ text, role, product, isWaiting, lostSince, after, most }: BuyersRequest) {
  const filters = Object.entries({ roles: role, products: product, waits: isWaiting ? 0 : null, lost: lostSince })
    .filter(([, value]) => value !== null);
  const expressions = filters.map(([name]) => {
    const holds = name === "waits"
      ? "size(#waits) > :waits"
      : name === "lost"
      ? "#lost.#at >= :lost"
      : `contains(#${name}, :${name})`;
    return `(attribute_not_exists(#roles) OR ${holds})`;
  });
  const named = ["roles", ...filters.map(([name]) => name), ...(lostSince === null ? [] : ["at"])];
  return {
    IndexName: "buyers",
    KeyConditionExpression: "sk = :record AND pk > :after",
    ExpressionAttributeValues: { ":record": "record", ":after": recordKey(after ?? "").pk,
      ...Object.fromEntries(filters.map(([name, value]) => [`:${name}`, value])) },
    ...(filters.length === 0
      ? {}
      : { FilterExpression: expressions.join(" AND "),
        ExpressionAttributeNames: Object.fromEntries(named.map((name) => [`#${name}`, name])) }),
    // What is left out here or there counts, too.
    ...(most === null || text !== null || filters.length > 0 ? {} : { Limit: most + 1 }),
  };
}

/** The rows of the index, with the summaries of those whose record is older than it. */
async function listed(items: readonly Item[], table: Table): Promise<readonly ListedBuyer[]> {
  const rows = items.map((item) => rowShape.parse(item)).map(({ pk, ...row }) => ({ ...row,
    email: pk.slice(recordKey("").pk.length) })
  );
  const old = rows.filter(({ roles }) => roles === undefined).map(({ email }) => email);
  const summaries = new Map((await recordsOf(table, old)).map((record) => [record.email, summaryOf(record)]));
  const broken: ReturnType<typeof summaryOf> = { roles: [], products: [], waits: ["RECORD_BROKEN"], lost: undefined };
  return rows.map(({ email, roles, products, waits, lost }) => ({ email,
    ...(roles === undefined ? (summaries.get(email) ?? broken) : { roles, products, waits, lost }) })
  );
}

function isAskedFor({ email, roles, products, waits, lost }: ListedBuyer,
  { text, role, product, isWaiting, lostSince }: BuyersRequest): boolean {
  return (text === null || email.includes(text)) && (role === null || roles.includes(role)) &&
    (product === null || products.includes(product)) && (!isWaiting || waits.length > 0) &&
    (lostSince === null || (lost !== undefined && lost.at >= lostSince));
}
