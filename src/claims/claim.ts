import { setTimeout as sleep } from "node:timers/promises";

import * as z from "zod/mini";

import { entriesOf, type Claimant, type SourceId } from "../access/facts.ts";
import type { Policy } from "../access/policy.ts";
import { checkAccess } from "../accounts/authorize.ts";
import { clientAddress } from "../accounts/client-address.ts";
import type { VerifyToken } from "../accounts/identity.ts";
import type { Throttle } from "../accounts/throttle.ts";
import type { Users } from "../accounts/users.ts";
import { normalizedEmail } from "../gumroad/email.ts";
import { HttpError } from "../http/errors.ts";
import { type HttpFunction, json, jsonBodyOf } from "../http/handler.ts";
import { type BuyerRecord, openClaims } from "../ledger/record.ts";
import { log } from "../log.ts";
import type { ClaimMessage } from "../queue/message.ts";
import { linkedTo, type ReadLedger } from "./linked.ts";
import { saleOfKey } from "./license.ts";

/** What taking claims works with. `now` gives epoch milliseconds. */
export interface Claiming {
  readonly verify: VerifyToken;
  /** The issuer of the self-built login's tokens. */
  readonly ownIssuer: string;
  readonly throttle: Throttle;
  readonly users: Pick<Users, "find" | "noteClaim">;
  readonly ledger: ReadLedger;
  readonly queue: { send(message: ClaimMessage, id: string, signal: AbortSignal): Promise<void> };
  readonly policy: Policy;
  /** Gumroad's API: `https://api.gumroad.com/v2`. */
  readonly api: string;
  readonly now: () => number;
  /** Waits so long (ms). */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** Every claim is answered after this (ms), by when all that it takes is done: the time tells nothing of the key. */
const ANSWER_MS = 3_000;

const bodyShape = z.object({ licenseKey: z.string().check(z.minLength(1), z.maxLength(100)) });

/**
 * `POST /claim {licenseKey}`: whoever is logged in says that a purchase is theirs. Good, unknown, used and refused
 * keys get the same answer in the same time; what comes of it is provision's to decide. The key is neither logged nor
 * kept, nor anything made of it: which sale it is of, is all that goes on.
 * @throws {HttpError} 400, 401, 403 without a verified email, 413, 429
 * @throws {TemporaryError} and {@link NeedsPersonError}, as Gumroad, the tables and the queue do
 */
export function claimCall(claiming: Claiming): HttpFunction {
  const { throttle, policy, api, wait = sleep } = claiming;
  return async (event) => {
    const by = await claimantOf(event.headers["authorization"], claiming);
    const { licenseKey } = jsonBodyOf(event, bodyShape);
    const { host, network } = clientAddress(event.requestContext.http.sourceIp);
    // No name of the login is spelled with capitals: claims and logins don't use up each other's attempts.
    await throttle.admit({ username: `CLAIM ${by}`, address: { host, network: `CLAIM ${network}` } });
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answerTime = wait(ANSWER_MS);
    const sale = await saleOfKey(licenseKey.trim(), [...policy.keys()], api, signal);
    if (sale !== null) await passOn(sale, by, event.requestContext.requestId, claiming, signal);
    await answerTime;
    return json({ status: "received" }, 202);
  };
}

/** Tells the owner's group that somebody showed the key, once it is known who that is. */
async function passOn({ saleId, subscriptionId }: NonNullable<Awaited<ReturnType<typeof saleOfKey>>>, by: Claimant,
  requestId: string, { ledger, users, queue, now }: Claiming, signal: AbortSignal): Promise<void> {
  const sources: readonly SourceId[] = [`sale:${saleId}`,
    ...(subscriptionId === null ? [] : [`subscription:${subscriptionId}` as const])];
  for (const source of sources) {
    const buyer = await ledger.owner(source);
    if (buyer === null) continue;
    if (by.startsWith("name:") && !(await users.noteClaim(by.slice("name:".length), source))) return;
    const message = { v: 1, kind: "claim", requestId, buyer, hops: 0, saleId, by, at: now(), decided: null } as const;
    await queue.send(message, `claim ${by} ${saleId}`, signal);
    return;
  }
  log.info("a licence key of a sale that is not known yet", { requestId });
}

/**
 * `GET /claim`: who else asks for what is the caller's, so that nobody's purchase changes hands behind their back.
 * Names no one: `requests` holds the product and when.
 */
export function requestsCall(claiming: Claiming): HttpFunction {
  const { ledger, users, policy } = claiming;
  return async (event) => {
    const by = await claimantOf(event.headers["authorization"], claiming);
    const name = by.slice("name:".length);
    const own: (readonly [BuyerRecord, readonly SourceId[]])[] = [];
    if (by.startsWith("name:")) own.push(...(await linkedTo(await users.find(name), ledger, policy)));
    else {
      const record = await ledger.load(by.slice("email:".length));
      own.push([record, entriesOf(record.sources).map(([id]) => id)]);
    }
    const requests = own.flatMap(([record, mine]) =>
      openClaims(record).filter(({ source }) => mine.includes(source)).map(({ source, at }) => ({
        product: policy.get(record.sources[source]?.productId ?? "")?.name ?? "",
        at: new Date(at).toISOString(),
      }))
    );
    return json({ requests });
  };
}

async function claimantOf(authorization: string | undefined,
  { verify, ownIssuer }: Pick<Claiming, "verify" | "ownIssuer">): Promise<Claimant> {
  const { issuer, subject, email = "" } = await checkAccess(authorization, verify);
  if (issuer === ownIssuer) return `name:${subject}`;
  const normalized = normalizedEmail(email);
  if (normalized !== null) return `email:${normalized}`;
  throw new HttpError(403, "Verify your email first: follow the link in the mail, then log out and in.");
}
