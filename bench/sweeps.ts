/** Sweeps over a shop and a ledger in memory, each row made as it is asked for: what grows is the sweep's own. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import type { Source, SourceId } from "../src/access/facts.ts";
import { addFacts } from "../src/access/merge.ts";
import { defineProducts } from "../src/config/products-file.ts";
import { gumroadApi } from "../src/gumroad/api.ts";
import { factsOfSale, factsOfSubscriber } from "../src/gumroad/facts.ts";
import { saleShape, subscriberShape } from "../src/gumroad/rows.ts";
import { newRecord } from "../src/ledger/record.ts";
import type { Checkpoint } from "../src/ledger/sweeps.ts";
import type { OwnedSource, Survey } from "../src/ledger/survey.ts";
import { reconcile } from "../src/sweeping/reconcile.ts";
import { listedRunning } from "../src/sweeping/running.ts";
import { withRoles } from "../tests/sweeping/shop-and-ledger.ts";
import { alone, brief, type Table, times } from "./figures.ts";

const NOW = Date.parse("2026-11-26T00:00:00Z");
const SALES_A_PAGE = 10;
const SUBSCRIBERS_A_PAGE = 100;
const CLUB = "club";
const BOOK = "book";
const policy = defineProducts([{ id: BOOK, name: "Book", roles: ["reader"] }, { id: CLUB, name: "Club",
  roles: ["club"] }]);
const emailOf = (nth: number) => `buyer${String(nth)}@example.com`;
const created = new Date(NOW - 400 * 24 * 3_600_000).toISOString();

const saleOf = (nth: number) => ({ id: `s${String(nth)}`, product_id: BOOK, purchase_email: emailOf(nth),
  created_at: created, price: 4_900 });
const memberOf = (nth: number) => ({ id: `m${String(nth)}`, product_id: CLUB, status: "alive",
  purchase_ids: [`c${String(nth)}`] });
const chargeOf = (nth: number) => ({ id: `c${String(nth)}`, product_id: CLUB, purchase_email: emailOf(nth),
  created_at: created, price: 900, subscription_id: `m${String(nth)}` });

/** What a ledger that knows all of it has of a source. */
function known(id: SourceId): Source {
  const nth = Number(id.replace(/\D+/, ""));
  const facts = id.startsWith("sale:")
    ? [factsOfSale(saleShape.parse(saleOf(nth)), NOW)]
    : [factsOfSale(saleShape.parse(chargeOf(nth)), NOW), factsOfSubscriber(subscriberShape.parse(memberOf(nth)), NOW)];
  const source = facts.reduce((sources, each) => addFacts(sources, id, each), newRecord("").sources)[id];
  if (source === undefined) throw new Error(`nothing is known of ${id}`);
  return source;
}

function ledgerOf(count: number): Survey {
  return {
    owned: async (ids) =>
      Promise.resolve(
        new Map(
          ids.map((
            id,
          ): [SourceId, OwnedSource] => [id, { buyer: emailOf(Number(id.replace(/\D+/, ""))), known: known(id),
            record: undefined }]
          ),
        ),
      ),
    records: async (after) => {
      const from = Number(after?.sk ?? 0);
      const to = Math.min(count, from + 100);
      const records = Array.from({ length: to - from }, (_, at) => {
        const id: SourceId = `subscription:m${String(from + at)}`;
        return withRoles({ ...newRecord(emailOf(from + at)), sources: { [id]: known(id) } }, policy, NOW);
      });
      return Promise.resolve({ records, apart: [], broken: 0,
        next: to === count ? null : { pk: "", sk: String(to) } });
    },
  };
}

function shopOf(count: number, calls: Map<string, number>): typeof fetch {
  return async (input) => {
    const { pathname, searchParams } = new URL(String(input));
    const call = pathname.replace(/^\/v2/, "").replace(/\/products\/[^/]+/, "/products/:id");
    calls.set(call, (calls.get(call) ?? 0) + 1);
    const from = Number(searchParams.get("page_key") ?? 0);
    const page = (size: number) => Array.from({ length: Math.min(size, count - from) }, (_, at) => from + at);
    const next = (size: number) => from + size < count ? { next_page_key: String(from + size) } : {};
    if (call === "/user") return Promise.resolve(Response.json({ success: true, user: { user_id: "seller" } }));
    if (call === "/sales") {
      return Promise.resolve(
        Response.json({ success: true, sales: page(SALES_A_PAGE).map(saleOf), ...next(SALES_A_PAGE) }),
      );
    }
    const isClub = pathname.includes(CLUB);
    return Promise.resolve(
      Response.json({ success: true, subscribers: isClub ? page(SUBSCRIBERS_A_PAGE).map(memberOf) : [],
        ...(isClub ? next(SUBSCRIBERS_A_PAGE) : {}) }),
    );
  };
}

/** The weekly sweep over so many sales, and the daily one over so many running memberships and records. */
export async function sweeps(counts: readonly number[]): Promise<Table> {
  const { timeout } = AbortSignal;
  // The time limits of calls live on for seconds, in which a real shop answers a few dozen and this one thousands.
  Object.assign(AbortSignal, { timeout: () => new AbortController().signal });
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  const rows: (readonly string[])[] = [];
  const measured: Measured[] = [];
  for (const kind of ["weekly", "daily"] as const) {
    for (const count of counts) {
      const calls = new Map<string, number>();
      let checkpoint: Checkpoint | null = null;
      let [most, pages, sent] = [0, 0, 0];
      const heap = () => {
        if (typeof collect === "function") collect();
        return process.memoryUsage().heapUsed;
      };
      const before = heap();
      const credentials = { token: "token", sellerId: "seller", api: "https://shop.example/v2" };
      const get = async () => Promise.resolve(credentials);
      const api = gumroadApi({ fetch: shopOf(count, calls), secret: { get, reread: get } });
      const forever = new AbortController().signal;
      const began = performance.now();
      let paused = 0;
      await reconcile({ sweep: kind }, { ledger: { due: () => {
        throw new Error("not called here");
      } }, survey: ledgerOf(count), sweeps: { load: async () => Promise.resolve(checkpoint), save: async (next) => {
        checkpoint = { ...next, version: next.version + 1 };
        pages += 1;
        if (pages % Math.ceil(count / 100) === 0) {
          const stopped = performance.now();
          most = Math.max(most, heap() - before);
          paused += performance.now() - stopped;
        }
        return Promise.resolve(checkpoint);
      }, report: async () => Promise.resolve(), countChanged: async () => Promise.resolve() }, setHolders: async () =>
        Promise.resolve(), queue: { send: async (messages) => {
          sent += messages.length;
          return Promise.resolve();
        }, depth: async () => Promise.resolve(0) }, openShop: async () => Promise.resolve(api), policy, now: () => NOW,
        wait: async () => Promise.resolve(), enough: forever, deadline: forever, requestId: "bench",
        running: listedRunning() });
      const ms = performance.now() - began - paused;
      const made = [...calls.values()].reduce((sum, each) => sum + each, 0);
      const gumroad = [...calls].map(([call, each]) => `${String(each)} ${call}`).join(", ");
      measured.push({ kind, count, ms, most });
      rows.push([kind, String(count), String(sent), gumroad, times(made, count), brief(ms / 1_000, "s"),
        brief((ms * 1_000) / count, "µs"), brief(most / 2 ** 20, "MB")]);
    }
  }
  Object.assign(AbortSignal, { timeout });
  return { title: "Sweeps over a shop and a ledger in memory that agree",
    columns: ["sweep", "sales, or memberships and records", "hints sent", "calls of Gumroad", "calls a row", "time",
      "a row", "memory held at most"], rows, ...alone(growth(measured)) };
}

interface Measured {
  readonly kind: string;
  readonly count: number;
  readonly ms: number;
  readonly most: number;
}

/** How time and memory grow from the least rows but one to the most. */
function growth(measured: readonly Measured[]): string {
  const grown = (["weekly", "daily"] as const).map((kind) => {
    const [last, before] = measured.filter((each) => each.kind === kind).reverse();
    if (last === undefined || before === undefined) return `${kind}: one size only`;
    return `${kind}: ${times(last.count, before.count)} the rows take ${times(last.ms, before.ms)} the time and hold ${
      brief((last.most - before.most) / 2 ** 20, "MB")
    } more (${brief((last.most - before.most) / (last.count - before.count))} bytes a row)`;
  });
  return `what no ping told, it never learns. ${grown.join("; ")}. A sweep holds one page; what grows is the daily ` +
    "one's list of what it has seen running, so that no membership needs a call of its own.";
}
