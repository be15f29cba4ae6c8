import type { APIGatewayProxyEventV2 } from "aws-lambda";
import * as z from "zod/mini";

import { dueRoles } from "../access/due-roles.ts";
import type { Policy } from "../access/policy.ts";
import { NeedsPersonError, TemporaryError } from "../errors.ts";
import { normalizedEmail } from "../gumroad/email.ts";
import { isAccepted } from "../http/accepted-token.ts";
import { HttpError } from "../http/errors.ts";
import { bodyOf } from "../http/handler.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import { count } from "../metrics.ts";
import type { BindMessage } from "../queue/message.ts";
import type { BindSecret } from "./secret.ts";

/** What binding works with. `now` gives epoch milliseconds. */
export interface Binding {
  readonly secret: {
    /** Null: the secret has no value, so nobody may call. Throws what `Secret.get` throws. */
    get(signal: AbortSignal): Promise<BindSecret | null>;
    /** Read again, at most every ten seconds. Throws what `Secret.reread` throws. */
    reread(signal: AbortSignal): Promise<BindSecret>;
  };
  /** A buyer's record; one of version 0 where there is none. */
  readonly load: (email: string, signal: AbortSignal) => Promise<BuyerRecord>;
  /** Puts a message into its buyer's group; the same `id` within five minutes is sent once. */
  readonly queue: { send(message: BindMessage, id: string, signal: AbortSignal): Promise<void> };
  readonly policy: Policy;
  readonly now: () => number;
}

/** What the post-login Action is told. */
export interface BindAnswer {
  /** The roles that this user may have at once: what the purchases of the email give now. Sorted. */
  readonly roles: readonly string[];
}

/** A body of this size is far above any that the Action sends. */
const LARGEST_BYTES = 4 * 1024;
/** Longer than any Auth0 user id: a provider, a connection and an id of the provider's. */
const LONGEST_ID = 255;

const requestShape = z.object({
  user_id: z.string().check(z.minLength(1), z.maxLength(LONGEST_ID)),
  email: z.string().check(z.refine((email) => normalizedEmail(email) !== null, "is no email")),
  // Anybody can register with a stranger's address: without this nothing is told or done.
  email_verified: z.literal(true),
});

/**
 * Answers the post-login Action: which roles has somebody who logs in with this verified email? A user that the
 * buyer's record doesn't know is told to provision, the one writer, which asks Auth0 itself who that is. So this only
 * reads, and a stolen token can learn who bought, and grant nothing.
 * @throws {HttpError} 400, 401, 413 or 503
 */
export async function answerLogin(event: APIGatewayProxyEventV2, binding: Binding,
  signal: AbortSignal): Promise<BindAnswer> {
  try {
    await admit(event, binding.secret, signal);
    const { userId, email, spelling } = understood(bodyOf(event));
    const record = await binding.load(email, signal);
    const roles = dueRoles(record, binding.policy, binding.now());
    const isKnown = Object.hasOwn(record.users, userId);
    // Without roles there is nothing to bind a user for, and a stranger's login must not fill the queue.
    const isNews = roles.length > 0 && !isKnown;
    const { requestId } = event.requestContext;
    if (isNews) {
      await binding.queue.send({ v: 1, kind: "bind", requestId, buyer: email, spelling }, `bind ${email} ${userId}`,
        signal);
    }
    log.info("somebody logged in", { requestId, buyer: buyerTag(email), roles, isNews });
    // Whoever registered this user before the email was verified may still know its password: provision replaces that
    // first, and until then nothing is told.
    return { roles: isKnown || !record.unverified.includes(userId) ? roles : [] };
  } catch (error) {
    throw asAnswer(error);
  }
}

/**
 * Checks the token; on a mismatch the secret may just have been rotated, so it is read again before anybody is
 * refused.
 */
async function admit(event: APIGatewayProxyEventV2, secret: Binding["secret"], signal: AbortSignal): Promise<void> {
  const token = /^Bearer +(\S+)$/i.exec(event.headers["authorization"] ?? "")?.[1];
  if (token !== undefined) {
    const known = await secret.get(signal);
    if (known !== null &&
      (isAccepted(token, known.tokens) || isAccepted(token, (await secret.reread(signal)).tokens))) return;
  }
  throw new HttpError(401, "The token is missing or wrong: import the tenant again with the bind secret's token.", {
    headers: { "WWW-Authenticate": 'Bearer realm="bind"' },
  });
}

function understood(
  body: string,
): { readonly userId: string; readonly email: string; readonly spelling: string | null } {
  if (Buffer.byteLength(body) > LARGEST_BYTES) {
    throw new HttpError(413, "The body is larger than 4 KB, which no login is.");
  }
  const parsed = requestShape.safeParse(jsonOf(body));
  if (!parsed.success) {
    throw new HttpError(400, `The body has a wrong value at "${parsed.error.issues[0]?.path.join(".") ?? ""}".`);
  }
  const email = normalizedEmail(parsed.data.email) ?? "";
  const spelled = parsed.data.email.trim();
  return { userId: parsed.data.user_id, email, spelling: spelled === email ? null : spelled };
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The cause would quote the body, which holds an email.
    throw new HttpError(400, "The body is not JSON.");
  }
}

/** What isn't an answer yet becomes a 503: the login goes on without, and the next one asks again. */
function asAnswer(error: unknown): unknown {
  if (!(error instanceof TemporaryError) && !(error instanceof NeedsPersonError)) return error;
  if (error instanceof NeedsPersonError) count("NeedsPerson");
  return new HttpError(503, "The purchases could not be looked up just now. Ask again at the next login.", {
    cause: error,
  });
}
