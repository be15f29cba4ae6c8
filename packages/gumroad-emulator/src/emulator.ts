import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { CallLog } from "emulator-server/call-log";
import type { Logged } from "emulator-server/call-log";
import { Faults } from "emulator-server/faults";
import type { Fault, FaultOptions } from "emulator-server/faults";
import { close, listen } from "emulator-server/json-server";
import { requestHandler } from "emulator-server/request-handler";
import type { Behaviour, Latency } from "emulator-server/request-handler";
import { packSnapshot, type Snapshot, unpackSnapshot } from "emulator-server/snapshot";
import { AccessTokens } from "./access-tokens.ts";
import type { AccessToken } from "./access-tokens.ts";
import { actByRequest } from "./act-requests.ts";
import { scheduleNext } from "./billing.ts";
import { shopActs } from "./acts.ts";
import type { ShopActs } from "./acts.ts";
import type { GumroadCall } from "./calls.ts";
import { Clock } from "./clock.ts";
import { Endpoints } from "./endpoints.ts";
import type { ResourceSubscription } from "./endpoints.ts";
import { licensesRoutes } from "./licenses-api.ts";
import { FIXTURE_SELLER, LOCAL_ACCESS_TOKEN } from "./options.ts";
import type { GumroadEmulatorOptions } from "./options.ts";
import { PostOffice } from "./post-office.ts";
import type { Chaos, PostRecord } from "./post-office.ts";
import { deliverByHttp } from "./post.ts";
import type { Deliver } from "./post.ts";
import { scheduleReleases } from "./preorders.ts";
import { productJson } from "./product-json.ts";
import { fixtureProducts } from "./products.ts";
import type { Product } from "./products.ts";
import { salesRoutes } from "./sales-api.ts";
import type { Sale } from "./sale.ts";
import { sellerApi } from "./seller-api.ts";
import { Seeds } from "./seeds.ts";
import type { Seed, SeedsState } from "./seeds.ts";
import { RESOURCE_NAMES, Shop } from "./shop.ts";
import type { Books, ResourceName } from "./shop.ts";
import { shopRoutes } from "./shop-api.ts";
import { subscribersRoutes } from "./subscribers-api.ts";
import type { Subscription } from "./subscription.ts";

/** A running emulator. Everything can be changed while it runs. */
export interface GumroadEmulator extends ShopActs {
  /** E.g. `http://127.0.0.1:3002`. */
  readonly url: string;
  /** Where the API is: `url` and `/v2`. */
  readonly apiUrl: string;
  readonly sellerId: string;

  /** All purchases, in the order they were made. */
  readonly sales: readonly Sale[];
  readonly subscriptions: readonly Subscription[];
  /** What it sells now. */
  readonly products: readonly Product[];
  /** Ids of the preorder products that were released. */
  readonly released: ReadonlySet<string>;
  /** Every ping posted or lost by chance, in order. */
  readonly posts: readonly PostRecord[];
  /** Every API call, in the order they came. */
  readonly calls: readonly Logged<GumroadCall>[];

  /** Epoch milliseconds. */
  now(): number;
  /** Moves time: what falls due until then happens in order of time, and is posted. `0` does what is due already. */
  advance(milliseconds: number): Promise<void>;
  /** Resolves once no post is on its way. */
  settled(): Promise<void>;
  /** Posts every ping that waits for its time (delays, retries) without moving time, until none is left. */
  flushPings(): Promise<void>;

  /** Settings → Advanced → Ping. Undefined: none. */
  setPingUrl(url: string | undefined): void;
  /** As `PUT /v2/resource_subscriptions` with an application's token, `local` if left out. */
  subscribe(event: ResourceName, postUrl: string, application?: string): ResourceSubscription;
  setDeliver(deliver: "http" | Deliver): void;
  setChaos(chaos: Chaos | undefined): void;
  /** "Send test ping", to the one typed into the box, or the Ping URL, or else where the events go from the start. */
  sendTestPing(url?: string): Sale;
  /** "Resend ping" of one purchase. */
  resendPing(sale: Sale | string): Sale;

  /** Adds an access token, or changes one's scopes. */
  addToken(token: AccessToken): void;
  /** Makes a token invalid, or all; its application's registrations fall silent. */
  revokeToken(token?: string): void;
  /** Injects a fault into the API. */
  fault(options: FaultOptions): Fault;
  setLatency(latency: Latency<GumroadCall>): void;

  /** Puts rows into the API directly. Throws a ZodError for what can't be a row. */
  seed(rows: Seed): void;
  /** Back to how it was started: books, time, tokens, URLs, posts, calls, faults. */
  reset(): void;
  /** The books and the rows put in, as they are now. Tokens, registrations and waiting pings are no part of it. */
  snapshot(): Snapshot;
  /**
   * Goes on with the books of a snapshot, of this emulator or an earlier one; products that it was started with are
   * sold besides. Time stays. Throws for what is no snapshot of a Gumroad emulator.
   */
  restore(snapshot: Snapshot): void;
  /** Breaks off what runs and frees the port. */
  stop(): Promise<void>;
}

const POST_TIMEOUT_MS = 5000;
/** The application that the first token belongs to. */
const LOCAL_APPLICATION = "local";

/** Changes with what is kept. */
const SNAPSHOT = "gumroad-emulator 1";

interface Kept {
  readonly books: Books;
  readonly seeds: SeedsState;
}

/** All that `reset` makes anew. */
interface World {
  readonly shop: Shop;
  readonly tokens: AccessTokens;
  readonly endpoints: Endpoints;
  readonly office: PostOffice;
  readonly seeds: Seeds;
}

/**
 * Starts an emulator of one Gumroad shop, in memory, on 127.0.0.1. Rejects with Node's error (`EADDRINUSE`) when the
 * port is taken.
 */
export async function startGumroadEmulator(options: GumroadEmulatorOptions = {}): Promise<GumroadEmulator> {
  const clock = new Clock(options.now ?? Date.now, options.forward);
  const faults = new Faults();
  const log = new CallLog<GumroadCall>();
  const behaviour: Behaviour<GumroadCall> = { latency: options.latency ?? 0 };
  let world = newWorld(options, clock);

  const advance = async (milliseconds: number): Promise<void> => {
    const until = clock.now() + milliseconds;
    const { shop, office } = world;
    await office.settled();
    for (let due = shop.agenda.next(until); due !== undefined; due = shop.agenda.next(until)) {
      clock.moveTo(due.at);
      due.happen();
      // What this posted may have to be tried again before what comes next.
      await office.settled();
    }
    clock.moveTo(until);
  };
  const flushPings = async (): Promise<void> => {
    const { shop, office } = world;
    await office.settled();
    for (let due = shop.agenda.next(Infinity, "ping"); due !== undefined; due = shop.agenda.next(Infinity, "ping")) {
      due.happen();
      await office.settled();
    }
  };
  const seed = (rows: unknown): void => {
    world.seeds.add(rows);
  };
  const reset = (): void => {
    clock.reset();
    world = newWorld(options, clock);
    behaviour.latency = options.latency ?? 0;
    faults.clear();
    log.clear();
  };

  const shop = (): Shop => world.shop;
  const onSale = (): Product[] => [...shop().products.values()].filter(({ id }) => !shop().deleted.has(id));
  const acts = { ...shopActs(shop),
    sendTestPing: (to?: string) => world.office.sendTestPing(to ?? world.endpoints.pingUrl ?? options.eventsUrl),
    resendPing: (sale: Sale | string) => world.office.resendPing(shop().sale(sale)) };
  const controls = { calls: () => log.calls, products: () => onSale().map((product) => productJson(shop(), product)),
    act: (name: string, body: unknown) => actByRequest(name, body, { acts, shop: shop(), office: world.office }), seed,
    seededPings: () => [...world.seeds.pings], advance, now: () => clock.now(), reset };
  const routes = [
    ...salesRoutes(shop, () => world.seeds),
    ...subscribersRoutes(shop, () => world.seeds),
    ...shopRoutes(shop, () => world.endpoints),
    ...licensesRoutes(shop),
  ];
  const api = sellerApi({ routes, controls, tokens: () => world.tokens });
  const server = createServer(
    requestHandler({ api, faults, log, behaviour, wait: options.wait, frontPage: options.frontPage }),
  );
  const url = await listen(server, options.port ?? 0);

  return { ...acts, url, apiUrl: `${url}/v2`, sellerId: world.shop.sellerId, get sales() {
    return [...world.shop.sales.values()];
  }, get subscriptions() {
    return [...world.shop.subscriptions.values()];
  }, get products() {
    return onSale();
  }, get released() {
    return world.shop.released;
  }, get posts() {
    return world.office.posts;
  }, get calls() {
    return log.calls;
  }, now: () => clock.now(), advance, settled: () => world.office.settled(), flushPings, setPingUrl(pingUrl) {
    world.endpoints.pingUrl = pingUrl;
  },
    subscribe: (event, postUrl, application = LOCAL_APPLICATION) =>
      world.endpoints.register(event, postUrl, application), setDeliver(deliver) {
    world.office.deliver = delivery(deliver, options);
  }, setChaos(chaos) {
    world.office.chaos = chaos;
  }, addToken(token) {
    world.tokens.add(token);
  }, revokeToken(token) {
    world.tokens.revoke(token);
  }, fault: (fault) => faults.add(fault), setLatency(latency) {
    behaviour.latency = latency;
  }, seed, reset, snapshot: () => packSnapshot(SNAPSHOT, { books: world.shop.books(), seeds: world.seeds.state() }),
    restore(snapshot) {
      const { books, seeds } = unpackSnapshot<Kept>(SNAPSHOT, snapshot);
      world = newWorld(options, clock, books);
      for (const subscription of books.subscriptions.values()) scheduleNext(world.shop, subscription);
      world.seeds.restore(seeds);
    }, stop: () => close(server) };
}

function newWorld(options: GumroadEmulatorOptions, clock: Clock, books?: Books): World {
  const shop = new Shop({ sellerId: options.sellerId ?? FIXTURE_SELLER, subdomain: options.subdomain ?? "acme",
    products: options.products ?? fixtureProducts(), feeCents: options.feeCents ?? 490, clock,
    idSeed: options.idSeed ?? randomUUID(), books });
  scheduleReleases(shop);
  const tokens = new AccessTokens(
    options.tokens ?? [{ token: LOCAL_ACCESS_TOKEN, scopes: ["view_sales"], application: LOCAL_APPLICATION }],
  );
  const endpoints = new Endpoints(shop.ids, tokens, options.pingUrl);
  if (options.eventsUrl !== undefined) {
    for (const event of RESOURCE_NAMES) endpoints.register(event, options.eventsUrl, LOCAL_APPLICATION);
  }
  const office = new PostOffice({ shop, endpoints, deliver: delivery(options.deliver ?? "http", options),
    delays: options.pingDelays ?? { sale: 0, other: 0 }, chaos: options.chaos });
  return { shop, tokens, endpoints, office, seeds: new Seeds() };
}

function delivery(deliver: "http" | Deliver, { postTimeoutMs = POST_TIMEOUT_MS }: GumroadEmulatorOptions): Deliver {
  return deliver === "http" ? deliverByHttp(postTimeoutMs) : deliver;
}
