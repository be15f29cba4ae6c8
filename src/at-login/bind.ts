import type { APIGatewayProxyEventV2 } from "aws-lambda";
import * as z from "zod/mini";

import { dueRoles } from "../access/entitlements.ts";
import type { Policy } from "../access/policy.ts";
import { normalizedEmail } from "../gumroad/email.ts";
import { acceptingSecret, type TokenSecret } from "../http/accepted-token.ts";
import { HttpError } from "../http/errors.ts";
import { jsonBodyOf } from "../http/handler.ts";
import type { BuyerRecord } from "../ledger/record.ts";
import { buyerTag, log } from "../log.ts";
import type { MessageOf } from "../queue/message.ts";

/** The secret `gumroad-auth0/{stage}/bind`: `{"tokens": ["…"]}`. */
export const bindSecretShape = z.object({
  /** What the post-login Action may bring as Bearer. All are accepted, so that one can be changed without a gap. */
  tokens: z.array(z.string().check(z.minLength(1))).check(z.minLength(1)),
});

/** What answering a login works with. `now` gives epoch milliseconds. */
export interface AtLogin {
  readonly secret: TokenSecret<z.infer<typeof bindSecretShape>>;
  readonly load: (email: string, signal: AbortSignal) => Promise<BuyerRecord>;
  readonly queue: { send(message: MessageOf<"bind">, id: string, signal: AbortSignal): Promise<void> };
  readonly policy: Policy;
  readonly now: () => number;
}

/** Longer than any Auth0 user id: a provider, a connection and an id of the provider's. */
const LONGEST_ID = 255;

const requestShape = z.object({
  user_id: z.string().check(z.minLength(1), z.maxLength(LONGEST_ID)),
  email: z.string().check(z.refine((email) => normalizedEmail(email) !== null, "is no email")),
  // Anybody can register with a stranger's address: without this nothing is told or done.
  email_verified: z.literal(true),
});

/**
 * Tells the post-login Action which roles this verified email's purchases give. A user that the buyer's record doesn't
 * know is told to provision, the one writer, which asks Auth0 itself who that is (`pending`: the roles come within
 * seconds). So this only reads: a stolen token can learn who bought, and grant nothing.
 * @throws {HttpError} 400, 401 or 413
 * @throws {TemporaryError} and {@link NeedsPersonError}, as the secret, the ledger and the queue do
 */
export async function answerLogin(event: APIGatewayProxyEventV2, atLogin: AtLogin, signal: AbortSignal) {
  const token = /^Bearer +(\S+)$/i.exec(event.headers["authorization"] ?? "")?.[1];
  if ((await acceptingSecret(token, atLogin.secret, signal)) === null) {
    const message = "The token is missing or wrong: import the tenant again with the bind secret's token.";
    throw new HttpError(401, message, { headers: { "WWW-Authenticate": 'Bearer realm="bind"' } });
  }
  const login = jsonBodyOf(event, requestShape);
  const userId = login.user_id;
  const spelled = login.email.trim();
  const email = normalizedEmail(spelled) ?? "";
  const record = await atLogin.load(email, signal);
  const roles = dueRoles(record, atLogin.policy, atLogin.now());
  const isKnown = Object.hasOwn(record.users, userId);
  // Without roles there is nothing to bind a user for, and a stranger's login must not fill the queue.
  const isNews = roles.length > 0 && !isKnown;
  const { requestId } = event.requestContext;
  if (isNews) {
    await atLogin.queue.send({ v: 1, kind: "bind", requestId, buyer: email,
      spelling: spelled === email ? null : spelled }, `bind ${email} ${userId}`, signal);
  }
  log.info("somebody logged in", { requestId, buyer: buyerTag(email), roles, isNews });
  // Who registered a user before the email was verified may know its password: first provision replaces that.
  const pending = isNews && (userId.startsWith("auth0|") || record.unverified.includes(userId));
  return { roles: pending ? [] : roles, pending };
}
