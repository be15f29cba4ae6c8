/** Bursts and faults on a simulated clock: the code that deploys, and the handbook's, before the same tenant. */
import type { Limits } from "auth0-emulator/rate-limit";

import { auth0Directory } from "../src/auth0/directory.ts";
import { auth0SecretShape } from "../src/auth0/secret.ts";
import { defineProducts } from "../src/config/products-file.ts";
import type { Provisioning } from "../src/provisioning/context.ts";
import { gumroadApi } from "../src/gumroad/api.ts";
import { retryingFetch } from "../src/http/retry.ts";
import { provisionBuyer } from "../src/provisioning/provision.ts";
import { retrySeconds } from "../src/provisioning/timing.ts";
import type { MessageOf } from "../src/queue/message.ts";
import { soldTo } from "../tests/provisioning/pings.ts";
import { seededChance, simulatedClock, type SimulatedClock } from "./clock.ts";
import { handbookPing } from "./handbook.ts";
import { memoryStore } from "./memory-store.ts";
import { type Fault, simulatedTenant, type SimulatedTenant } from "./tenant.ts";

/** What one side made of a burst. */
export interface Outcome {
  readonly buyers: number;
  /** Whose ping was answered with a success within five seconds, at its first try. */
  readonly answeredInTime: number;
  /** Who has the role in the end. */
  readonly granted: number;
  /** Seconds from the ping to the role, of those who have it, sorted. */
  readonly seconds: readonly number[];
  /** Seconds from the first ping to the last role. */
  readonly took: number;
  /** Management calls that Auth0 served, and refused with 429. */
  readonly served: number;
  readonly refused: number;
  readonly tokens: number;
}

/** What befalls both sides. `everyMs` is the time between two pings; 0: all at once. */
export interface Trial {
  readonly buyers: number;
  readonly everyMs: number;
  readonly limits: Limits;
  readonly fault?: ((random: () => number) => Fault | null) | undefined;
  /** The service has no Gumroad token, and takes pings at their word, as the handbook's way does. */
  readonly onTrust?: boolean | undefined;
}

const START = Date.parse("2026-11-26T00:00:00Z");
const ROLE = "reader";
const PRODUCT = "book";
const SALE_OF = "sale of ";
const policy = defineProducts([{ id: PRODUCT, name: "Book", roles: [ROLE] }]);
/** A call of Auth0's takes 50 to 150 ms, one of Gumroad's 150 to 450, one of the ledger 5. */
const CALL_MS = 100;
const GUMROAD_MS = 300;
const STORE_MS = 5;
/** What `ping` does before it answers, once it has its secret: the call of the queue. */
const QUEUE_MS = 15;
/** As serverless.yml has it: two workers, ten messages each, and the part of a minute in which Auth0 is called. */
const WORKERS = 2;
const BATCH = 10;
const AUTH0_MS = 48_000;
/** How long one try of a call may take: with us, and with the SDK as it comes. */
const ATTEMPT_MS = 10_000;
const SDK_TIMEOUT_MS = 60_000;
/** And a read at Gumroad, with all its tries. */
const READ_MS = 8_000;
/** As AWS and Gumroad have it: a function's time behind an API, functions at once, how long Gumroad waits, and when
 * it tries again. A function that is new takes half a second to start, ours and the handbook's. */
const FUNCTION_MS = 30_000;
const ACCOUNT_CONCURRENCY = 1_000;
const COLD_MS = 500;
const PATIENCE_MS = 5_000;
const GUMROAD_RETRIES_MS = [60_000, 180_000, 600_000];

interface Waiting {
  readonly message: MessageOf<"ping">;
  readonly receives: number;
  readonly at: number;
}

const emails = (count: number) => Array.from({ length: count }, (_, nth) => `buyer${String(nth)}@example.com`);

function world({ limits, fault }: Trial, patienceMs: number) {
  const clock = simulatedClock(START);
  const random = seededChance(1);
  const tenant = simulatedTenant(clock, { limits, role: ROLE, callMs: () => CALL_MS * (0.5 + random()), patienceMs,
    ...(fault === undefined ? {} : { fault: () => fault(random) }) });
  return { clock, random, tenant };
}

/** Gumroad's API, which the service asks for each purchase, the handbook's way for none; the same faults befall it. */
function shop(clock: SimulatedClock, random: () => number, { fault }: Trial) {
  const send: typeof fetch = async (input) => {
    const ms = GUMROAD_MS * (0.5 + random());
    await clock.sleep(ms / 2);
    const instead = fault?.(random) ?? null;
    if (instead === "hang") return new Promise(() => undefined);
    await clock.sleep(ms / 2);
    if (instead instanceof Error) throw instead;
    const id = decodeURIComponent(new URL(String(input)).pathname.split("/").at(-1) ?? "");
    return instead ??
      Response.json({ success: true,
        sale: { id, product_id: PRODUCT, price: 4_900, purchase_email: id.replace(SALE_OF, ""),
          created_at: new Date(START).toISOString() } });
  };
  const credentials = async () =>
    Promise.resolve({ token: "token", sellerId: "seller", api: "https://shop.example/v2" });
  const persistent = retryingFetch({ fetch: send, service: "GUMROAD", kindOf: () => "read", now: clock.now, random,
    wait: async (ms, signal) => clock.sleep(ms, signal) });
  return gumroadApi({ secret: { get: credentials, reread: credentials }, fetch: async (...call) => {
    const late = clock.sleep(READ_MS).then(() => {
      throw new DOMException("The operation was aborted due to timeout", "TimeoutError");
    });
    return Promise.race([persistent(...call), late]);
  } });
}

/** The functions behind the API, each killed when its time is up; false: none was free, or it failed. */
function functions(clock: SimulatedClock) {
  let [running, warm] = [0, 0];
  return { running: () => running, run: async (work: (killedAt: number) => Promise<boolean>): Promise<boolean> => {
    if (running >= ACCOUNT_CONCURRENCY) return false;
    running += 1;
    if (warm > 0) warm -= 1;
    else await clock.sleep(COLD_MS);
    const killed = clock.sleep(FUNCTION_MS).then(() => false);
    const done = await Promise.race([work(clock.now() + FUNCTION_MS).catch(() => false), killed]);
    running -= 1;
    warm += 1;
    return done;
  } };
}

/** Gumroad posts each buyer's ping, waits five seconds and tries four times. */
function gumroad(clock: SimulatedClock, { buyers, everyMs }: Trial, ping: (email: string) => Promise<boolean>) {
  const counts = { inTime: 0, left: buyers };
  const buyer = async (email: string): Promise<void> => {
    for (let tries = 0; tries <= GUMROAD_RETRIES_MS.length; tries += 1) {
      const answered = await Promise.race([ping(email), clock.sleep(PATIENCE_MS).then(() => false)]);
      if (answered && tries === 0) counts.inTime += 1;
      if (answered) return;
      await clock.sleep(GUMROAD_RETRIES_MS[tries] ?? FUNCTION_MS);
    }
  };
  for (const [nth, email] of emails(buyers).entries()) {
    clock.at(START + nth * everyMs, () => void buyer(email).finally(() => (counts.left -= 1)));
  }
  return counts;
}

/** The service: `ping` puts into a queue; two workers and the code of src over a ledger in memory. */
export async function service(trial: Trial): Promise<Outcome> {
  const { clock, random, tenant } = world(trial, ATTEMPT_MS);
  const store = memoryStore(() => clock.sleep(STORE_MS));
  const queue: Waiting[] = [];
  let unsettled = 0;
  const { run } = functions(clock);
  const pings = gumroad(clock, trial, (email) =>
    run(async () => {
      await clock.sleep(QUEUE_MS);
      unsettled += 1;
      queue.push({ message: soldTo(email, `${SALE_OF}${email}`, PRODUCT), receives: 0, at: clock.now() });
      return true;
    }));
  const worker = async (): Promise<void> => {
    const api = trial.onTrust === true ? null : shop(clock, random, trial);
    const work = { ...workOf(clock, tenant, store, random), gumroad: async () => Promise.resolve(api) };
    while (pings.left > 0 || unsettled > 0) {
      const batch = takeDue(queue, clock.now());
      if (batch.length === 0) {
        await clock.sleep(100);
        continue;
      }
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), AUTH0_MS);
      await Promise.all(batch.map(async ({ message, receives }) => {
        const again = await provisionBuyer(message.buyer, [message], { ...work, signal: stop.signal }, receives + 1)
          .catch(() => [message]);
        if (again.length === 0) unsettled -= 1;
        else queue.push({ message, receives: receives + 1, at: clock.now() + retrySeconds(receives + 1) * 1_000 });
      }));
      clearTimeout(timer);
    }
  };
  let working = WORKERS;
  for (let nth = 0; nth < WORKERS; nth += 1) clock.at(START, () => void worker().finally(() => (working -= 1)));
  await clock.run(() => working === 0);
  return outcome(trial, tenant, pings.inTime);
}

function takeDue(queue: Waiting[], now: number): readonly Waiting[] {
  const batch: Waiting[] = [];
  while (batch.length < BATCH) {
    const first = queue.findIndex(({ at }) => at <= now);
    if (first < 0) break;
    batch.push(...queue.splice(first, 1));
  }
  return batch;
}

function workOf(clock: SimulatedClock, { fetch }: SimulatedTenant, store: Provisioning["store"],
  random: () => number): Omit<Provisioning, "gumroad"> {
  const credentials = async () =>
    Promise.resolve(auth0SecretShape.parse({ domain: "tenant.example", client_id: "id", client_secret: "secret" }));
  const wait = async (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal);
  return { store, policy, settings: { place: "roles", gettingIn: "none" }, now: clock.now,
    signal: new AbortController().signal,
    auth0: auth0Directory({ secret: { get: credentials, reread: credentials }, fetch, now: clock.now, wait,
      retrying: { wait, random } }),
    queue: { send: async () => Promise.reject(new Error("nothing is forwarded here")),
      keep: async () => Promise.reject(new Error("nothing is kept here")), retryIn: async () => Promise.resolve() } };
}

/** The handbook's way: all of it in the function that Gumroad waits for. */
export async function handbook(trial: Trial): Promise<Outcome> {
  const { clock, tenant } = world(trial, SDK_TIMEOUT_MS);
  const { run, running } = functions(clock);
  const pings = gumroad(clock, trial, (email) =>
    run(async (killedAt) => {
      const call: typeof fetch = async (input, init) => {
        const response = await tenant.fetch(input, init);
        // Killed in the middle: it never learns of the answer.
        return clock.now() < killedAt ? response : new Promise(() => undefined);
      };
      await handbookPing(`email=${encodeURIComponent(email)}`, { domain: "tenant.example", clientId: "id",
        clientSecret: "secret", audience: "https://tenant.example/api/v2/", roleId: ROLE, fetch: call });
      return true;
    }));
  await clock.run(() => pings.left === 0 && running() === 0);
  return outcome(trial, tenant, pings.inTime);
}

function outcome({ buyers, everyMs }: Trial, { granted, counts }: SimulatedTenant, answeredInTime: number): Outcome {
  const seconds = emails(buyers).flatMap((email, nth) => {
    const at = granted.get(email);
    return at === undefined ? [] : [(at - START - nth * everyMs) / 1_000];
  });
  return { buyers, answeredInTime, granted: seconds.length, seconds: seconds.sort((a, b) => a - b),
    took: (Math.max(START, ...granted.values()) - START) / 1_000, served: counts.served, refused: counts.refused,
    tokens: counts.token };
}
