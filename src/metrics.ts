import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

import { log, serviceName } from "./log.ts";

/**
 * What is counted. The first six have an alarm in `serverless.yml`:
 * - `NeedsPerson`: something waits for somebody to mend it (the log says what)
 * - `DeadLettered`: a message was put into the dead-letter queue by us, with its reason
 * - `Held`: removals of a buyer wait for a person, because too many lost the product in that hour
 * - `GumroadFailed`: Gumroad's API refused us, or could not be had: nothing is granted or taken away until it can
 * - `UnsettledLong`: a buyer's record could not be settled, and that for over 15 minutes
 * - `SaleUntold`: a sweep of the last days found a sale that no ping had told of within 15 minutes
 * - `Failed`: a buyer's messages or record failed; also by `code`
 * - `Received`: a ping was put into the queue
 * - `Applied`: a buyer's roles were changed at Auth0
 * - `Waiting`: a buyer must verify an email first
 * - `Throttled`: a call waited for Auth0's rate limit
 */
export type MetricName = "NeedsPerson" | "DeadLettered" | "Held" | "GumroadFailed" | "UnsettledLong" | "SaleUntold"
  | "Failed" | "Received" | "Applied" | "Waiting" | "Throttled";

const metrics = new Metrics({ namespace: "gumroad-auth0", serviceName });

/** Counts one, at once: a line on standard output that CloudWatch turns into a metric. */
export function count(name: MetricName): void {
  metrics.singleMetric().addMetric(name, MetricUnit.Count, 1);
}

/** Tells that something waits until somebody mends it: the alarm rings, and the log says what to do. */
export function needsPerson(mend: string, about: Readonly<Record<string, unknown>>): void {
  count("NeedsPerson");
  log.error("needs a person", { ...about, mend });
}

/** Counts a failure, and once more by its code: which cause it was. */
export function countFailure(code: string): void {
  count("Failed");
  metrics.singleMetric().addDimension("code", code).addMetric("FailedByCause", MetricUnit.Count, 1);
}

/** Counts the calls that an invocation made to Auth0, the token's included. */
export function countAuth0Calls(calls: number): void {
  if (calls > 0) metrics.singleMetric().addMetric("Auth0Calls", MetricUnit.Count, calls);
}

/** Notes how long a purchase took to become access: from Gumroad's time of the sale (whole seconds) to the role. */
export function timeToAccess(seconds: number): void {
  metrics.singleMetric().addMetric("SecondsToAccess", MetricUnit.Seconds, Math.max(0, seconds));
}
