import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

/**
 * What is counted. The first four have an alarm in `serverless.yml`:
 * - `NeedsPerson`: something waits for somebody to mend it (the log says what)
 * - `DeadLettered`: a message was put into the dead-letter queue by us, with its reason
 * - `Held`: removals of a buyer wait for a person, because too many lost the product in that hour
 * - `GumroadFailed`: Gumroad's API refused us, or could not be had: nothing is granted or taken away until it can
 * - `Throttled`: a call waited for Auth0's rate limit
 */
export type MetricName = "NeedsPerson" | "DeadLettered" | "Held" | "GumroadFailed" | "Throttled";

const metrics = new Metrics({ namespace: "gumroad-auth0", serviceName: `gumroad-auth0-${process.env["STAGE"] ?? "unknown"}` });

/** Counts one, at once: a line on standard output that CloudWatch turns into a metric. */
export function count(name: MetricName): void {
  metrics.singleMetric().addMetric(name, MetricUnit.Count, 1);
}
