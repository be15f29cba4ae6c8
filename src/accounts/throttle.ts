/**
 * The brake on guessing. Every attempt is counted before its password is looked at, also of a thousand at once; what
 * is refused costs a read and no hash.
 * An attempt from an address where this user has logged in before counts for that user and address alone: nobody
 * else's guesses can lock the user out there. From anywhere else it counts for its network, for the user and that
 * network, and for the user from anywhere: no address guesses at many users without limit, nor many addresses at one.
 */
import * as z from "zod/mini";

import { type Item, type ItemKey, readItem, readItems, type Table, updateItem } from "../dynamo/table.ts";
import type { clientAddress } from "./client-address.ts";
import { TooManyAttempts } from "./errors.ts";
import { type Attempts, decide, type ThrottleRule } from "./throttle-rule.ts";

const day = 86_400;

/** The rules in force. docs/security.md says how many guesses a day they come to, and a test computes it. */
export const throttleRules = {
  /** One user, from one address where they logged in before. */
  knownAddress: { free: 10, firstDelaySeconds: 1, longestDelaySeconds: 1_800, forgetAfterSeconds: day },
  /** One user, from one network where they did not. */
  userAndNetwork: { free: 5, firstDelaySeconds: 2, longestDelaySeconds: 3_600, forgetAfterSeconds: day },
  /** One user, from all addresses where they did not. */
  user: { free: 20, firstDelaySeconds: 2, longestDelaySeconds: 1_800, forgetAfterSeconds: day },
  /** One network, on all users who did not log in from there. Not tighter: a school is one network. */
  network: { free: 100, firstDelaySeconds: 1, longestDelaySeconds: 300, forgetAfterSeconds: day },
  /** How long an address stays known after the last login from there. */
  rememberAddressSeconds: 90 * day,
};

/** Counts attempts before they are looked at. */
export type Throttle = ReturnType<typeof createThrottle>;

type Counter = { readonly key: ItemKey; readonly rule: ThrottleRule };

const counterShape = z.object({ count: z.number(), lastAt: z.number(), nextAt: z.number(), expiresAt: z.number() });

/** How often an attempt is decided anew whose counter others changed: who loses so often is part of a flood. */
const tries = 4;

/** The throttle on the accounts table. `now` gives epoch milliseconds. */
export function createThrottle(
  { table, rules = throttleRules, now = Date.now }: { table: Table; rules?: typeof throttleRules; now?: () => number },
) {
  const inSeconds = (span: number): number => Math.ceil(now() / 1_000) + span;

  /** The counter in an item, unless its time is over: DynamoDB removes such items only after a while. */
  function alive(item: Item | undefined): Attempts | undefined {
    if (item === undefined) return undefined;
    const counter = counterShape.parse(item);
    return counter.expiresAt * 1_000 > now() ? counter : undefined;
  }

  /**
   * Counts one attempt as decided. False if the counter is no longer what that was decided on: while attempts are free
   * others may come in between, so that a class can log in at once; a wait may start but once.
   */
  function write({ key, rule }: Counter, seen: Attempts | undefined,
    { count, lastAt, nextAt }: Attempts): Promise<boolean> {
    const isFree = seen !== undefined && count === seen.count + 1 && count < rule.free;
    const [condition, held] = seen === undefined
      ? ["attribute_not_exists(pk) OR expiresAt <= :now", { ":now": Math.floor(now() / 1_000) }]
      : isFree
      ? ["#count < :lastFree", { ":lastFree": rule.free - 1 }]
      : ["#count = :seen AND lastAt = :seenAt", { ":seen": seen.count, ":seenAt": seen.lastAt }];
    // A known address lives by its logins, not by the attempts made from it.
    const [lives, until] = rule === rules.knownAddress
      ? ["", {}]
      : [", expiresAt = :until", { ":until": inSeconds(rule.forgetAfterSeconds) }];
    const change = `SET #count = ${isFree ? "#count + " : ""}:count, lastAt = :lastAt, nextAt = :nextAt${lives}`;
    return updateItem(table, key, change, { condition, names: { "#count": "count" },
      values: { ...held, ...until, ":count": isFree ? 1 : count, ":lastAt": lastAt, ":nextAt": nextAt } });
  }

  async function count(counter: Counter, before: Attempts | undefined): Promise<void> {
    let seen = before;
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      // A known address that was forgotten just now: the next attempt finds it unknown.
      if (counter.rule === rules.knownAddress && seen === undefined) break;
      const decision = decide(counter.rule, seen, now());
      if (typeof decision === "number") throw new TooManyAttempts(decision);
      if (await write(counter, seen, decision)) return;
      seen = alive(await readItem(table, counter.key));
    }
    throw new TooManyAttempts(1);
  }

  /** Takes an attempt back: it was no guess. A counter that is gone stays gone. */
  const forgive = ({ key }: Counter) =>
    updateItem(table, key, "SET #count = #count - :one, nextAt = :none", { condition: "#count > :none",
      names: { "#count": "count" }, values: { ":one": 1, ":none": 0 } });

  /** Counts an attempt on this name, as stored, from there. Throws TooManyAttempts: nothing may be checked then. */
  async function admit(
    { username, address: { host, network: from } }: { username: string; address: ReturnType<typeof clientAddress> },
  ) {
    const known: Counter = { key: { pk: `user#${username}`, sk: `host#${host}` }, rule: rules.knownAddress };
    const pair: Counter = { key: { pk: `guesses#user#${username}`, sk: `network#${from}` },
      rule: rules.userAndNetwork };
    const user: Counter = { key: { pk: `guesses#user#${username}`, sk: "anywhere" }, rule: rules.user };
    const network: Counter = { key: { pk: `guesses#network#${from}`, sk: "anybody" }, rule: rules.network };

    const all = [known, pair, network, user];
    const seen = new Map((await readItems(table, all.map(({ key }) => key))).map((item, i) => [all[i], alive(item)]));
    const isKnownAddress = seen.get(known) !== undefined;
    const counters = isKnownAddress ? [known] : [pair, network, user];

    // First look at all, so that what one counter refuses is not held against the others, then count. The narrowest
    // comes first: a flood from one network must not use up what is there for all of them.
    const waits = counters.map((counter) => {
      const decision = decide(counter.rule, seen.get(counter), now());
      return typeof decision === "number" ? decision : 0;
    });
    if (waits.some((wait) => wait > 0)) throw new TooManyAttempts(Math.max(...waits));
    for (const counter of counters) await count(counter, seen.get(counter));

    return {
      /**
       * Tells that it was the rightful user: the address is known from now on, and the attempt no longer counts as a
       * guess. A sign-up goes on counting for the network, or one address could make users without limit.
       */
      async succeeded(as: "login" | "sign-up"): Promise<void> {
        await Promise.all([
          updateItem(table, known.key, "SET #count = :none, lastAt = :now, nextAt = :none, expiresAt = :expiresAt", {
            names: { "#count": "count" },
            values: { ":none": 0, ":now": now(), ":expiresAt": inSeconds(rules.rememberAddressSeconds) },
          }),
          ...(isKnownAddress ? [] : [forgive(pair), forgive(user)]),
          ...(isKnownAddress || as === "sign-up" ? [] : [forgive(network)]),
        ]);
      },
    };
  }

  return { admit };
}
