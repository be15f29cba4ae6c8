import { afterEach } from "@jest/globals";
import * as z from "zod";

import { startGumroadEmulator } from "../src/emulator.ts";
import type { GumroadEmulator } from "../src/emulator.ts";
import { LOCAL_ACCESS_TOKEN } from "../src/options.ts";
import type { GumroadEmulatorOptions } from "../src/options.ts";
import type { PostOutcome } from "../src/post.ts";
import { RESOURCE_NAMES } from "../src/shop.ts";

/** When the fixture sales were made. */
export const START = Date.parse("2026-01-05T19:38:56Z");
export const MINUTE = 60_000;
export const DAY = 86_400_000;

export const HANDBOOK = "zGyG_1JQunZuizwqd9CP7g==";
export const DATAVIZ = "Z7kcrf7WgiSjiBnsGYi45w==";
export const CLUB = "wg2b8FhyMUKaJ6Eo3PrR5g==";
export const BUNDLE = "zdLk8Uz-AIidbazwzX2EkA==";
export const MASTERCLASS = "lnHn8l0Cn_FH_VuURa1aEw==";

/** A shop whose eight events all go to one hook. */
export interface ListeningShop {
  readonly shop: GumroadEmulator;
  /** The bodies posted so far. */
  readonly bodies: string[];
  /** `event` of each body, with what tells bodies of one event apart, then forgets them. */
  heard(...fields: string[]): string[];
  /** What the next posts are answered; 200 once they are used up. */
  readonly answers: PostOutcome[];
}

const started: GumroadEmulator[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((shop) => shop.stop()));
});

/** Starts a shop that stops after the test. */
export async function startShop(options: GumroadEmulatorOptions = {}): Promise<GumroadEmulator> {
  const shop = await startGumroadEmulator({ now: () => START, idSeed: "tests", ...options });
  started.push(shop);
  return shop;
}

export async function startListeningShop(options: GumroadEmulatorOptions = {}): Promise<ListeningShop> {
  const bodies: string[] = [];
  const answers: PostOutcome[] = [];
  const shop = await startShop({ deliver: ({ body }) => {
    bodies.push(body);
    return answers.shift();
  }, ...options });
  for (const event of RESOURCE_NAMES) shop.subscribe(event, "https://service.example/ping");
  const heard = (...fields: string[]): string[] =>
    bodies.splice(0).map((body) => {
      const ping = new URLSearchParams(body);
      return [ping.get("resource_name") ?? "test", ...fields.map((field) => ping.get(field) ?? "-")].join(" ");
    });
  return { shop, bodies, heard, answers };
}

const Row = z.record(z.string(), z.unknown());
const Body = z.looseObject({ sale: Row.optional(), sales: z.array(Row).optional(), subscriber: Row.optional(),
  subscribers: z.array(Row).optional(), product: Row.optional(), products: z.array(Row).optional(),
  resource_subscription: Row.optional(), purchase: Row.optional(), next_page_key: z.string().optional(),
  next_page_url: z.string().optional() });

/** What to send beside the path. */
export interface Asking {
  readonly method?: string;
  /** Null: no token. Default the first one. */
  readonly token?: string | null;
  readonly form?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** Asks the emulator over HTTP. */
export async function ask(shop: GumroadEmulator, path: string,
  { method = "GET", token = LOCAL_ACCESS_TOKEN, form, json }: Asking = {}
): Promise<{ status: number; body: z.infer<typeof Body> }> {
  const init: RequestInit = { method, headers: token === null ? {} : { authorization: `Bearer ${token}` } };
  if (form !== undefined) init.body = new URLSearchParams(form);
  if (json !== undefined) {
    init.body = typeof json === "string" ? json : JSON.stringify(json);
    init.headers = { ...init.headers, "content-type": "application/json" };
  }
  const response = await fetch(`${shop.url}${path}`, init);
  const text = await response.text();
  return { status: response.status, body: Body.parse(text === "" ? {} : JSON.parse(text)) };
}
