/** What a caller of the self-built login can get wrong. No message holds a username, a password or a token. */
import { HttpError } from "../http/errors.ts";

/** Wrong password, or nobody of that name: on purpose one error for both. */
export class BadCredentials extends HttpError {
  constructor() {
    super(401, "Bad username/password combination");
  }
}

/** The throttle says no, for whole seconds, at least 1. Nothing was looked at: it tells nothing of the password. */
export class TooManyAttempts extends HttpError {
  constructor(retryAfter: number) {
    const seconds = String(retryAfter);
    super(429, `Too many attempts. Try again in ${seconds} seconds.`, { headers: { "Retry-After": seconds } });
  }
}

/** The token is none that we accept, or not now. */
export class TokenRefused extends HttpError {
  constructor(reason: string, options?: ErrorOptions) {
    super(401, reason, options);
  }
}
