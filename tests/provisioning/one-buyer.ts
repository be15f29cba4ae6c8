import { auth0Directory, type Directory } from "../../src/auth0/directory.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import type { Auth0Emulator } from "auth0-emulator";
import type { SourceId } from "../../src/access/facts.ts";
import { mergeSource } from "../../src/access/merge.ts";
import type { Policy } from "../../src/access/policy.ts";
import { defineProducts } from "../../src/config/products-file.ts";
import type { GumroadApi } from "../../src/gumroad/api.ts";
import { TemporaryError, type RefusedError } from "../../src/errors.ts";
import type { Givers, UserItem } from "../../src/ledger/givers.ts";
import type { Ledger, SourceItem } from "../../src/ledger/ledger.ts";
import { newRecord, type BuyerRecord } from "../../src/ledger/record.ts";
import type { Provisioning } from "../../src/provisioning/context.ts";
import { provisionBuyer } from "../../src/provisioning/provision.ts";
import type { MessageOf, Message } from "../../src/queue/message.ts";

/** The buyer of these tests. */
export const ANN = "ann@example.com";

/** What differs from test to test. */
export type Settings = Provisioning["settings"];

/** Provisioning of one buyer: everything real, but for a ledger in memory with no room for what waits. */
export interface OneBuyer {
  /** Works messages off; false: they must be delivered again. */
  run(settings: Settings, ...messages: readonly Message[]): Promise<boolean>;
  /** Ann's record. */
  record(): BuyerRecord;
  /** Writes her record, as another worker would. */
  write(change: (record: BuyerRecord) => BuyerRecord): void;
  /**
   * Everything ends at the nth call of the ledger or Auth0 from now on: before it is done, or after. Nothing answers
   * until `recover`.
   */
  crashAt(call: number, phase: "before" | "after"): void;
  /** Whether it came to that. */
  readonly crashed: boolean;
  recover(): void;
  /**
   * The next change with this method isn't answered in time, or (`isEnd`) everything ends while it waits; what this
   * gives carries it out.
   */
  late(method: string, isEnd?: boolean): () => Promise<void>;
  /** The policy is changed. */
  sell(policy: Policy): void;
  /** What is kept apart of her record. */
  apart(): readonly SourceId[];
  /** The codes of what went to the dead-letter queue. */
  readonly kept: readonly string[];
  /** The calls of the Management API and for mails so far, without the listing of the roles. */
  calls(): readonly string[];
}

/** A buyer of whom nothing is known yet. `gumroad`: null where nothing can be read back. */
export function oneBuyer(auth0: Auth0Emulator, now: () => number = Date.now,
  gumroad: GumroadApi | null = null): OneBuyer {
  let listed = policy;
  const sources = new Map<SourceId, SourceItem>();
  let stored = newRecord(ANN);
  let left = Number.POSITIVE_INFINITY;
  let phase: "before" | "after" = "before";
  let crashed = false;
  const kept: string[] = [];

  /** A call to the outside, during which everything may end. */
  async function outside<T>(call: () => Promise<T>): Promise<T> {
    left -= 1;
    if (crashed || (left === 0 && phase === "before")) end();
    const answer = await call();
    if (left === 0) end();
    return answer;
  }
  function end(): never {
    crashed = true;
    throw new Error("everything ended");
  }

  /** Auth0, which keeps the next call of a method waiting. */
  let lateMethod: string | null = null;
  let isEndToo = false;
  let carryOut: () => Promise<void> = async () => Promise.resolve();
  async function send(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    if (init?.method !== lateMethod || !String(input).includes("/users")) return fetch(input, init);
    lateMethod = null;
    carryOut = async () => {
      await fetch(input, { ...init, signal: null });
    };
    if (isEndToo) end();
    throw new DOMException("not answered in time", "TimeoutError");
  }

  const never = (): never => {
    throw new Error("not called here");
  };
  const items = new Map<string, UserItem>();
  const itemOf = (userId: string) => items.get(userId) ?? { version: 0, givers: new Map() };
  const givers: Givers = { of: async (userId) => outside(async () => Promise.resolve(itemOf(userId))),
    give: async (userId, email, given) =>
      outside(async () => {
        const { version, givers: known } = itemOf(userId);
        const item = { version: version + 1, givers: new Map(known).set(email, given) };
        items.set(userId, item);
        return Promise.resolve(item);
      }), giveUntold: async () => Promise.resolve(), leave: async () => Promise.resolve() };
  const ledger: Ledger = { load: async () => outside(async () => Promise.resolve(stored)),
    save: async (record) =>
      outside(async () => {
        if (record.version !== stored.version) {
          throw new TemporaryError("RECORD_CHANGED", "Somebody else wrote first.");
        }
        stored = { ...record, version: record.version + 1 };
        return Promise.resolve(stored);
      }), remember: async () => Promise.resolve(), owner: async (id) => Promise.resolve(itemFor(id).owner),
    claim: async (id, email) =>
      outside(async () => Promise.resolve(keep(id, { ...itemFor(id), owner: itemFor(id).owner ?? email }))),
    park: async (id, facts, owner) =>
      outside(async () => {
        const item = itemFor(id);
        const isOthers = item.owner !== null && item.owner !== owner;
        return Promise.resolve(
          isOthers ? item : keep(id, { ...item, waiting: mergeSource(item.waiting ?? facts, facts) }),
        );
      }), move: never, due: never };
  const itemFor = (id: SourceId): SourceItem => sources.get(id) ?? { owner: null, waiting: null };
  function keep(id: SourceId, item: SourceItem): SourceItem {
    sources.set(id, item);
    return item;
  }

  function directoryFor({ gettingIn }: Settings): Directory {
    const credentials = async () =>
      Promise.resolve(
        auth0SecretShape.parse({ domain: auth0.url, client_id: "local-client", client_secret: "local-secret" }),
      );
    return auth0Directory({ secret: { get: credentials, reread: credentials },
      passwordless: gettingIn === "passwordless", fetch: (input, init) => outside(() => send(input, init)),
      retrying: { wait: async () => Promise.resolve() } });
  }

  return { run: async (settings, ...messages) => {
    const work: Provisioning = {
      store: { ledger, gifts: { note: never, of: never }, losses: { permit: async () =>
        Promise.resolve(true), noteHeld: never, noteReleased: never }, givers, pending: { put: async () =>
          Promise.resolve(false), due: async () => Promise.resolve([]), remove: never },
        sweeps: { countChanged: async () => Promise.resolve() } },
      auth0: directoryFor(settings),
      settings,
      gumroad: async () => Promise.resolve(gumroad),
      queue: { send: never, keep: async ({ code }: RefusedError) => Promise.resolve(void kept.push(code)),
        retryIn: never },
      policy: listed,
      now,
      signal: new AbortController().signal,
    };
    return provisionBuyer(ANN, messages, work).then((again) => again.length === 0, () => false);
  }, record: () => stored, write: (change) => {
    stored = { ...change(stored), version: stored.version + 1 };
  }, crashAt: (call, when) => {
    left = call;
    phase = when;
  }, get crashed() {
    return crashed;
  }, recover: () => {
    left = Number.POSITIVE_INFINITY;
    crashed = false;
  }, late: (method, isEnd = false) => {
    lateMethod = method;
    isEndToo = isEnd;
    return () => carryOut();
  }, kept, sell: (changed) => {
    listed = changed;
  },
    apart: () =>
      [...sources].filter(([id, { owner, waiting }]) =>
        owner === ANN && waiting !== null && stored.sources[id] === undefined
      ).map(([id]) => id),
    calls: () =>
      auth0.calls.filter(({ api, path }) => api !== "token" && path !== "/roles").map(({ method, path }) =>
        `${method} ${path}`
      ) };
}

const policy = defineProducts([{ id: "book", name: "Book", roles: ["reader"] }]);

let acts = 0;

/** An operator gives a role, or takes it back. */
export function act(role: string, kind: "give" | "take"): MessageOf<"act"> {
  acts += 1;
  const decision = kind === "give" ? ({ kind, until: null } as const) : ({ kind } as const);
  return { v: 1, kind: "act", requestId: "r", buyer: ANN, hops: 0, source: `grant:${role}`,
    act: { at: acts, id: String(acts), by: "tom", why: "a test", decision } };
}

/** What a sweep found, without a token for Gumroad's API: it brings nothing new. */
export function hint(invite?: boolean): MessageOf<"hint"> {
  return { v: 1, kind: "hint", requestId: "r", buyer: ANN, hops: 0, saleId: "s1", subscriptionId: null,
    sweep: "weekly", foundAt: 0, ...(invite === undefined ? {} : { invite }) };
}

/** Word that the record is due. */
export const due: Message = { v: 1, kind: "due", requestId: "r", buyer: ANN };

/** An operator invites the buyer. */
export function invite(requestId: string): MessageOf<"invite"> {
  return { v: 1, kind: "invite", requestId, buyer: ANN, by: "tom", why: "she lost the mail" };
}
