import * as z from "zod/mini";

import { NeedsPersonError, TemporaryError } from "../errors.ts";
import type { Fetch } from "../http/retry.ts";
import type { Auth0Credentials } from "./secret.ts";

/** The codes of an invitation that was surely not sent: Auth0 sends too many just now, or was never reached. */
export const SURELY_UNSENT: readonly string[] = ["AUTH0_MAIL_THROTTLED", "AUTH0_MAIL_UNSENT"];

const ATTEMPT_MS = 10_000;

/** A connection was never made: no address, or nobody listening. `fetch` keeps the system's error as its cause. */
const neverLeft = z.object({ cause: z.object({ code: z.enum(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]) }) });

/**
 * Has Auth0 mail its change-password mail, as if the person had clicked on "Forgot password?". A call of the
 * Authentication API: no scope, no token, and a rate limit of its own, so it isn't paced with Management calls: a mail
 * must never hold up a role. Auth0 answers the same whether or not the address is known.
 * @throws {TemporaryError} AUTH0_MAIL_THROTTLED, AUTH0_MAIL_UNSENT: not sent; AUTH0_UNREACHABLE: nobody knows
 * @throws {NeedsPersonError} AUTH0_REFUSED
 */
export async function mailInvitation({ url, loginClientId }: Auth0Credentials, email: string, connection: string,
  send: Fetch, signal: AbortSignal): Promise<void> {
  if (signal.aborted) {
    throw new TemporaryError("AUTH0_MAIL_UNSENT", "There was no time left to ask Auth0 for the invitation.");
  }
  let response: Response;
  try {
    response = await send(`${url}/dbconnections/change_password`, { method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ client_id: loginClientId, email, connection }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]), redirect: "error" });
  } catch (error) {
    const [code, message] = neverLeft.safeParse(error).success
      ? ["AUTH0_MAIL_UNSENT", "The request for the invitation never reached Auth0."]
      : ["AUTH0_UNREACHABLE", "Auth0 did not say in time whether it mailed the invitation."];
    throw new TemporaryError(code, message, { cause: error });
  }
  // What it says besides is a sentence for people.
  await response.body?.cancel();
  if (response.ok) return;
  const answered = `it answered ${String(response.status)}`;
  if (response.status === 429) {
    throw new TemporaryError("AUTH0_MAIL_THROTTLED", `Auth0 mails no more invitations just now: ${answered}.`);
  }
  if (response.status >= 500) {
    throw new TemporaryError("AUTH0_UNREACHABLE", `Auth0 could not mail the invitation: ${answered}.`);
  }
  throw new NeedsPersonError("AUTH0_REFUSED",
    `Auth0 refused to mail the invitation: ${answered}. Switch the connection "${connection}" on for the ` +
      `application ${loginClientId}, or mend login_client_id in the secret auth0.`);
}
