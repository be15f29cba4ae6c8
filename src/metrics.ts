import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

/**
 * What is counted. The first two have an alarm in `serverless.yml`:
 * - `NeedsPerson`: something waits for somebody to mend it (the log says what)
 * - `DeadLettered`: a message was put into the dead-letter queue by us, with its reason
 * - `Throttled`: a call waited for Auth0's rate limit
 */
export type MetricName = "NeedsPerson" | "DeadLettered" | "Throttled";

const metrics = new Metrics({ namespace: "gumroad-auth0", serviceName: `gumroad-auth0-${process.env["STAGE"] ?? "unknown"}` });

/** Counts one, at once: a line on standard output that CloudWatch turns into a metric. */
export function count(name: MetricName): void {
  metrics.singleMetric().addMetric(name, MetricUnit.Count, 1);
}
