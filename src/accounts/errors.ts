/**
 * What a caller of the self-built login can get wrong, as classes with stable codes. They know nothing of HTTP:
 * http-answers.ts turns them into answers. What is our own trouble is a TemporaryError or a NeedsPersonError, as
 * everywhere.
 */

/** The base of the refusals of this room. Messages never hold a username, a password or a token. */
export abstract class AccountsError extends Error {
  /** Stable, in capitals: what the tests and docs/alarms.md refer to. */
  readonly code: string;

  /** @param code stable, in capitals */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    // Spelled out, because a bundle shortens the names of classes; the code tells them apart.
    this.name = "AccountsError";
    this.code = code;
  }
}

/** The username can't be one. The message says why and is written for the caller. */
export class UsernameRefused extends AccountsError {
  /** @param reason a sentence for the caller */
  constructor(reason: string) {
    super("USERNAME_REFUSED", reason);
  }
}

/** The password can't be taken. The message says why and is written for the caller. */
export class PasswordRefused extends AccountsError {
  /** @param reason a sentence for the caller */
  constructor(reason: string) {
    super("PASSWORD_REFUSED", reason);
  }
}

/** Wrong password, or nobody of that name: on purpose one error for both. */
export class BadCredentials extends AccountsError {
  /** Takes nothing: the same words for everybody. */
  constructor() {
    super("BAD_CREDENTIALS", "Bad username/password combination");
  }
}

/** The throttle says no. The attempt was not looked at, so the answer tells nothing about the password. */
export class TooManyAttempts extends AccountsError {
  /** Whole seconds until an attempt is admitted again, at least 1. */
  readonly retryAfterSeconds: number;

  /** @param retryAfterSeconds whole seconds, at least 1 */
  constructor(retryAfterSeconds: number) {
    super("TOO_MANY_ATTEMPTS", `Too many attempts. Try again in ${String(retryAfterSeconds)} seconds.`);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The token is none that we accept, or not now. The message is written for the caller. */
export class TokenRefused extends AccountsError {
  /** @param reason a sentence for the caller */
  constructor(reason: string, options?: ErrorOptions) {
    super("TOKEN_REFUSED", reason, options);
  }
}
