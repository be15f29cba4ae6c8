import * as z from "zod";

import type { Policy } from "../../src/access/policy.ts";
import { queryPages, type Item, type Table } from "../../src/dynamo/table.ts";
import { ConfigError } from "../../src/errors.ts";
import { ledgerTable, recordKey } from "../../src/ledger/keys.ts";
import { newRecord, summaryOf } from "../../src/ledger/record.ts";
import { recordsOf } from "../../src/ledger/survey.ts";
import { everyRecord } from "../ledger/records.ts";
import { everyUnread, type Unread } from "../ledger/unread.ts";
import type { Stage } from "../stage/stage.ts";
import { type Operating, productNamed } from "./operating.ts";

/** Which buyers are listed: those who are all that is given. */
export interface BuyersRequest {
  /** A part of the email, in lower case. */
  readonly text: string | null;
  readonly role: string | null;
  /** A product's id, or its name in the policy: whoever ever bought it. */
  readonly product: string | null;
  /** Only those with something to wait for, also who has no record yet, because what was told waits unread. */
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
  /** What waits beside the record until it can be read back, longest first; only looked for among those who wait. */
  readonly unread?: readonly Unread[];
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
  const products = await policy();
  const request = { ...asked, product: product === null ? null : idOf(product, products) };
  const { most } = request;
  const table = ledgerTable(stage.dynamo, stage.ledger);
  const buyers: ListedBuyer[] = [];
  // The filter leaves out those whose record waits for nothing, or doesn't hold what the policy doesn't list.
  const beside = await besideRecords(table, request, products);
  const isBeside = new Set(beside.map(({ email }) => email));
  for await (const items of queryPages(table, queryFor(request))) {
    const rows = (await listed(items, table)).filter(({ email }) => !isBeside.has(email));
    const last = rows.at(-1)?.email;
    const upTo = last === undefined ? 0 : beside.filter(({ email }) => email < last).length;
    if (add([...rows, ...beside.splice(0, upTo)])) return { buyers, next: buyers.at(-1)?.email ?? null };
    tell({ what: "buyers found", done: buyers.length, total: null });
  }
  return { buyers, next: add(beside) ? (buyers.at(-1)?.email ?? null) : null };

  /** Adds those who are asked for, in order. True: there are more than wanted. */
  function add(some: readonly ListedBuyer[]): boolean {
    const fitting = some.filter((buyer) => isAskedFor(buyer, request)).sort((a, b) => (a.email < b.email ? -1 : 1));
    const room = most === null ? fitting.length : most - buyers.length;
    buyers.push(...fitting.slice(0, room));
    return fitting.length > room;
  }
}

/** Those with something unread, and who bought the unlisted product that is asked for, after an email, in order. */
async function besideRecords(table: Table, { isWaiting, product, after }: BuyersRequest,
  policy: Policy): Promise<ListedBuyer[]> {
  const unread = Map.groupBy(isWaiting ? await everyUnread(table) : [], ({ buyer }) => buyer);
  const apart = product === null || policy.has(product) ? new Set<string>() : await ownersApart(table, product);
  const emails = [...new Set([...unread.keys(), ...apart])].filter((email) => email > (after ?? "")).sort();
  const records = new Map((await recordsOf(table, emails)).map((record) => [record.email, record]));
  return emails.map((email) => {
    const summary = summaryOf(records.get(email) ?? newRecord(email));
    const theirs = unread.get(email);
    return { email, ...summary,
      products: [...new Set([...summary.products, ...(apart.has(email) && product !== null ? [product] : [])])].sort(),
      ...(theirs === undefined
        ? {}
        : { waits: [...summary.waits, ...new Set(theirs.map(({ code }) => code))], unread: theirs }) };
  });
}

/** What the policy doesn't list lies apart of the records, and is in no index: reads the whole ledger. */
async function ownersApart(table: Table, product: string): Promise<ReadonlySet<string>> {
  const owners = new Set<string>();
  for await (const { apart } of everyRecord(table)) {
    for (const { owner, facts } of apart) if (facts.productId === product) owners.add(owner);
  }
  return owners;
}

/** @throws {ConfigError} PRODUCT_UNKNOWN, for a name that the policy doesn't have */
function idOf(typed: string, policy: Policy): string {
  const { id } = productNamed(typed, policy);
  if (policy.has(id) || /^[\w-]{22}==$/.test(id)) return id;
  const names = [...policy.values()].map(({ name }) => name).join(", ");
  throw new ConfigError("PRODUCT_UNKNOWN",
    `src/products.ts lists no product "${typed}": it lists ${names}; any other is named by its id`);
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
