import { setTimeout as sleep } from "node:timers/promises";

import * as z from "zod/mini";

import { isSubscription, type Claimant, type SourceId } from "../access/facts.ts";
import type { Policy } from "../access/policy.ts";
import { checkAccess } from "../accounts/authorize.ts";
import { clientAddress } from "../accounts/client-address.ts";
import type { VerifyToken } from "../accounts/identity.ts";
import type { Throttle } from "../accounts/throttle.ts";
import type { Users } from "../accounts/users.ts";
import { normalizedEmail } from "../gumroad/email.ts";
import { HttpError } from "../http/errors.ts";
import { type HttpFunction, json, jsonBodyOf } from "../http/handler.ts";
import { type BuyerRecord, type Claim, linkedClaims, openClaims } from "../ledger/record.ts";
import { log } from "../log.ts";
import type { MessageOf } from "../queue/message.ts";
import { claimsOf, linkedTo, type ReadLedger } from "./linked.ts";
import { saleOfKey } from "./license.ts";

/** What taking claims works with. `now` gives epoch milliseconds. */
export interface Claiming {
  readonly verify: VerifyToken;
  /** The issuer of the self-built login's tokens. */
  readonly ownIssuer: string;
  readonly throttle: Throttle;
  readonly users: Pick<Users, "find"> & {
    note(username: string, change: "ADD" | "DELETE", sources: readonly SourceId[]): Promise<boolean>;
  };
  readonly ledger: ReadLedger;
  readonly queue: { send(message: MessageOf<"claim">, id: string, signal: AbortSignal): Promise<void> };
  readonly policy: Policy;
  /** Gumroad's API: `https://api.gumroad.com/v2`. */
  readonly api: string;
  readonly now: () => number;
  /** Waits so long (ms). */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** Every claim is answered after this (ms), by when all that it takes is done: the time tells nothing of the key. */
const ANSWER_MS = 3_000;
/** So much of it is for Gumroad. */
const GUMROAD_MS = 1_500;

/** What a key of no purchase is sent on as: it makes the same calls, and is in nobody's record. */
const NOTHING = { buyer: "", saleId: "", under: null };

const bodyShape = z.object({ licenseKey: z.string().check(z.minLength(1), z.maxLength(100)) });

/**
 * `POST /claim {licenseKey}`: whoever is logged in says that a purchase is theirs. Good, unknown, used and refused
 * keys make the same calls (but for an account's own note) and get the same answer after the same time; provision
 * decides what comes of it. The key is neither logged nor kept: only which sale it is of goes on.
 * @throws {HttpError} 400, 401, 403 without a verified email, 413, 429
 * @throws {TemporaryError} and {@link NeedsPersonError}, as Gumroad, the tables and the queue do
 */
export function claimCall(claiming: Claiming): HttpFunction {
  const { throttle, policy, api, queue, now, wait = sleep } = claiming;
  return async (event) => {
    const by = await claimantOf(event.headers["authorization"], claiming);
    const { licenseKey } = jsonBodyOf(event, bodyShape);
    const { host, network } = clientAddress(event.requestContext.http.sourceIp);
    // No name of the login is spelled with capitals: claims and logins don't use up each other's attempts.
    await throttle.admit({ username: `CLAIM ${by}`, address: { host, network: `CLAIM ${network}` } });
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answerTime = wait(ANSWER_MS);
    try {
      const { requestId } = event.requestContext;
      const sale = await saleOfKey(licenseKey.trim(), [...policy.keys()], api, AbortSignal.timeout(GUMROAD_MS));
      const { buyer, saleId, under } = await claimed(sale, by, requestId, claiming);
      const message = { v: 1, kind: "claim", requestId, buyer, hops: 0, saleId, under, by, at: now(),
        decided: null } as const;
      await queue.send(message, `claim ${by} ${saleId}`, signal);
    } finally {
      await answerTime;
    }
    return json({ status: "received" }, 202);
  };
}

/** Whose purchase it is that somebody claims, so far as anything can come of it. */
async function claimed(sale: Awaited<ReturnType<typeof saleOfKey>>, by: Claimant, requestId: string,
  { ledger, users }: Claiming) {
  const { saleId, subscriptionId } = sale ?? { ...NOTHING, subscriptionId: null };
  const sources: readonly SourceId[] = [`sale:${saleId}`,
    ...(subscriptionId === null ? [] : [`subscription:${subscriptionId}` as const])];
  for (const source of sources) {
    const buyer = await ledger.owner(source);
    if (buyer === null) continue;
    if (!by.startsWith("name:") || (await isNoted(by.slice("name:".length), source, users, ledger))) {
      return { buyer, saleId, under: isSubscription(source) ? source : null };
    }
    log.warn("an account claims so much that a licence key changes nothing", { requestId });
    return NOTHING;
  }
  if (sale !== null) log.info("a licence key of a sale that is not known yet", { requestId });
  return NOTHING;
}

/** Notes with an account where to look, if need be in place of what it was refused. */
async function isNoted(name: string, source: SourceId, users: Claiming["users"],
  ledger: ReadLedger): Promise<boolean> {
  if (await users.note(name, "ADD", [source])) return true;
  const refused = (await claimsOf(await users.find(name), ledger)).filter(({ state }) => state === "refused");
  return refused.length > 0 && (await users.note(name, "DELETE", refused.map((claim) => claim.source))) &&
    (await users.note(name, "ADD", [source]));
}

/**
 * `GET /claim`: who else asks for what is the caller's (`requests`), and which of it accounts of the self-built login
 * use (`links`), so that nobody's purchase changes hands behind their back. Names no one: the product and when.
 */
export function requestsCall(claiming: Claiming): HttpFunction {
  const { ledger, users, policy } = claiming;
  const told = ({ sources }: BuyerRecord, claims: readonly Claim[]) =>
    claims.map(({ source, at }) => ({ product: policy.get(sources[source]?.productId ?? "")?.name ?? "",
      at: new Date(at).toISOString() })
    );
  return async (event) => {
    const by = await claimantOf(event.headers["authorization"], claiming);
    if (by.startsWith("email:")) {
      const record = await ledger.load(by.slice("email:".length));
      return json({ requests: told(record, openClaims(record)), links: told(record, linkedClaims(record)) });
    }
    const own = await linkedTo(await users.find(by.slice("name:".length)), ledger, policy);
    const requests = own.flatMap(({ record, sources }) =>
      told(record, openClaims(record).filter(({ source }) => sources.includes(source)))
    );
    return json({ requests, links: [] });
  };
}

async function claimantOf(authorization: string | undefined,
  { verify, ownIssuer }: Pick<Claiming, "verify" | "ownIssuer">): Promise<Claimant> {
  const { issuer, subject, email = "" } = await checkAccess(authorization, verify);
  if (issuer === ownIssuer) return `name:${subject}`;
  const normalized = normalizedEmail(email);
  if (normalized !== null) return `email:${normalized}`;
  throw new HttpError(403,
    "Verify your email first: follow the link in the mail, then log out and in. If it is verified, tell the seller " +
      "that the access token lacks the claim that ends in _email (docs/course-platform.md).");
}
