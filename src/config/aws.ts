/** Limits of an AWS call, in ms and attempts, the first included: the SDK's defaults would wait for minutes. */
export function awsLimits(
  { connectMs, requestMs, attempts }: Readonly<Record<"connectMs" | "requestMs" | "attempts", number>>,
) {
  return { maxAttempts: attempts,
    requestHandler: { connectionTimeout: connectMs, requestTimeout: requestMs, throwOnRequestTimeout: true } };
}
