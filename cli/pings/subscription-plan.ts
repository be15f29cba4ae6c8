import { RESOURCE_NAMES, type ResourceName, type ResourceSubscription, type ShopAdmin } from "../admin/shop-admin.ts";
import { tokenIn } from "./ping-url.ts";
import type { Stage } from "../stage/stage.ts";

/** What is registered for one event, and what should be. */
export interface EventPlan {
  readonly event: ResourceName;
  /** The one that is right, if there is one. */
  readonly right: ResourceSubscription | null;
  /** More of the same: each ping comes as often. */
  readonly doubled: readonly ResourceSubscription[];
  /** At this stage's address, but with a token that is old or none. */
  readonly wrong: readonly ResourceSubscription[];
  /** Somebody else's: other tools, other stages. Left alone. */
  readonly others: readonly ResourceSubscription[];
}

/**
 * Reads what is registered, event by event, and holds it against the tokens of the secret `ping`, the current one
 * first.
 */
export async function planSubscriptions(shop: ShopAdmin, stage: Stage, tokens: readonly string[],
  signal: AbortSignal): Promise<readonly EventPlan[]> {
  const plans: EventPlan[] = [];
  for (const event of RESOURCE_NAMES) {
    plans.push(planOf(event, await shop.subscriptions(event, signal), stage, tokens));
  }
  return plans;
}

/**
 * See {@link planSubscriptions}. A token that is still taken, but not the current one, is right only where there is no
 * better.
 */
export function planOf(event: ResourceName, registered: readonly ResourceSubscription[],
  stage: Pick<Stage, "pingAddress">, tokens: readonly string[]): EventPlan {
  const found = registered.map((subscription) => ({ subscription, token: tokenIn(stage, subscription.postUrl) }));
  const ours = found.filter(({ token }) => token !== null);
  const taken = ours.filter(({ token }) => token !== null && tokens.includes(token)).sort((a, b) =>
    tokens.indexOf(a.token ?? "") - tokens.indexOf(b.token ?? "")
  );
  const [right, ...doubled] = taken.map(({ subscription }) => subscription);
  return { event, right: right ?? null, doubled,
    wrong: ours.filter(({ token }) => token === null || !tokens.includes(token)).map(({ subscription }) =>
      subscription
    ), others: found.filter(({ token }) => token === null).map(({ subscription }) => subscription) };
}
