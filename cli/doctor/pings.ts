import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";

import { NeedsPersonError } from "../../src/errors.ts";
import type { ShopAdmin } from "../admin/shop-admin.ts";
import type { Operating } from "../operations/operating.ts";
import { pingUrl, withoutToken } from "../pings/ping-url.ts";
import { tokensOf } from "../setup/values.ts";
import { LOCAL, type Stage } from "../stage/stage.ts";
import { type EventPlan, planSubscriptions } from "../pings/subscription-plan.ts";
import { sendTestPing } from "../pings/test-ping.ts";

import { type Finding, limit, NotChecked } from "./finding.ts";

/** What Gumroad sends where. */
export async function plans(shop: ShopAdmin, stage: Stage, ping: unknown): Promise<readonly EventPlan[]> {
  try {
    return await planSubscriptions(shop, stage, tokensIn(ping), limit());
  } catch (error) {
    // Told by the check of the token.
    if (error instanceof NeedsPersonError && (error.code === "GUMROAD_SCOPE" || error.code === "GUMROAD_TOKEN")) {
      throw new NotChecked(error.message);
    }
    throw error;
  }
}

/** Events that Gumroad doesn't send here, or sends twice or wrong. */
export function pingPlanFindings(eventPlans: readonly EventPlan[], setup: string): readonly Finding[] {
  return eventPlans.flatMap(({ event, right, doubled, wrong }): Finding[] => [
    ...(right === null
      ? [{ code: "SUBSCRIPTION_MISSING", message: `Gumroad doesn't send ${event} to this stage.`, mend: setup }]
      : []),
    ...(doubled.length > 0
      ? [{ code: "SUBSCRIPTION_DOUBLED", message: `Gumroad sends each ${event} ${String(doubled.length + 1)} times.`,
        mend: setup }]
      : []),
    ...wrong.map(({ postUrl }) => ({ code: "SUBSCRIPTION_WRONG",
      message: `Gumroad sends ${event} to ${withoutToken(postUrl)} with a token that is refused.`, mend: setup })
    ),
  ]);
}

/** Whether each ping token opens the door, tried with test pings. */
export async function pingUrlFindings({ stage, wait }: Pick<Operating, "stage" | "wait">, ping: unknown,
  deploy: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const logs = stage.name === LOCAL
    ? "tail .local/functions.log"
    : `aws logs tail /aws/lambda/gumroad-auth0-${stage.name}-ping --since 10m`;
  for (const [place, token] of tokensIn(ping).entries()) {
    const outcome = await sendTestPing(pingUrl(stage, token), wait);
    const which = place === 0 ? "the ping token" : `the ${String(place + 1)}. ping token`;
    if (outcome === "taken") continue;
    if (outcome === "refused") {
      findings.push({ code: "PING_REFUSED",
        message:
          `${stage.pingAddress} refuses ${which} of the secret ping: the running functions read another secret.`,
        mend: deploy });
    } else if (typeof outcome === "number") {
      findings.push({ code: "PING_FAILED",
        message: `${stage.pingAddress} answers a test ping with ${String(outcome)}.`, mend: logs });
    } else {return [{ code: "PING_UNREACHABLE", message: `Nothing answers at ${stage.pingAddress} (${outcome.why}).`,
        mend: deploy }];}
  }
  return findings;
}

/** Whether messages wait for somebody to look at them. */
export async function deadLetterFindings({ sqs, deadLetters }: Stage, mend: string): Promise<readonly Finding[]> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] }),
  );
  const count = Object.values(Attributes).reduce((sum, part) => sum + Number(part), 0);
  if (count === 0) return [];
  return [{ code: "DEAD_LETTERS",
    message: `${
      count === 1 ? "A message waits" : `${String(count)} messages wait`
    } in the dead-letter queue for somebody to look at.`, mend }];
}

function tokensIn(ping: unknown): readonly string[] {
  return tokensOf(typeof ping === "object" && ping !== null ? Object.fromEntries(Object.entries(ping)) : {});
}
