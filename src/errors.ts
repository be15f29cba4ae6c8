/**
 * The errors of the service. What decides is whom they are for: a `TemporaryError` mends itself and is tried again; a
 * `NeedsPersonError` waits until somebody mends what its message says; a `RefusedError` can never be right and goes to
 * the dead-letter queue. Messages never hold a secret or an email: they are logged.
 */
export abstract class ServiceError extends Error {
  /** Spelled out in each class, because a bundle shortens the names of classes. */
  abstract override readonly name: string;
  /** Stable, in capitals: what alarms, docs/alarms.md and tests refer to. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Something outside is slow, throttled or down: the same call may work in a while. */
export class TemporaryError extends ServiceError {
  override readonly name: string = "TemporaryError";
}

/** A wrong setting, a missing scope or role: once what the message says is mended, it settles by itself. */
export class NeedsPersonError extends ServiceError {
  override readonly name: string = "NeedsPersonError";
}

/** A message that can never be right: it is kept in the dead-letter queue with this reason. */
export class RefusedError extends ServiceError {
  override readonly name: string = "RefusedError";
}

/** A setting or a file of the deployment is wrong: found at start, before anything is served. */
export class ConfigError extends ServiceError {
  override readonly name: string = "ConfigError";
}
