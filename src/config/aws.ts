/** Time limits of one AWS call, in milliseconds. */
export interface CallLimits {
  readonly connectMs: number;
  readonly requestMs: number;
  /** Attempts in all, the first included. */
  readonly attempts: number;
}

/** Client settings that keep an AWS call within its limits; the SDK's defaults would wait for minutes. */
export function awsLimits({ connectMs, requestMs, attempts }: CallLimits) {
  return { maxAttempts: attempts,
    requestHandler: { connectionTimeout: connectMs, requestTimeout: requestMs, throwOnRequestTimeout: true } };
}
