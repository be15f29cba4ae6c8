import type { ShopAdmin } from "../admin/shop-admin.ts";
import { withoutToken } from "../pings/ping-url.ts";
import { planSubscriptions } from "../pings/subscription-plan.ts";

import { type Work, LIMIT_MS } from "./work.ts";

/** Has Gumroad send its eight events to one URL, and takes old registrations away. */
export async function registerPings({ stage, steps }: Work, shop: ShopAdmin, tokens: readonly [string, ...string[]],
  url: string): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  for (const { event, right, doubled, wrong, others } of await planSubscriptions(shop, stage, tokens, signal)) {
    const step = `pings of ${event}`;
    const current = right?.postUrl === url;
    if (current) steps.kept(step, "registered");
    else await steps.change(step, "registered", () => shop.subscribe(event, url, signal));
    // Removed once the new one is there, so that no ping is lost between.
    const stale = [...(current || right === null ? [] : [right]), ...doubled, ...wrong];
    for (const { id } of stale) {
      let removed = true;
      await steps.change(step, "an old registration removed", async () => {
        removed = await shop.unsubscribe(id, signal);
      });
      if (!removed) {
        steps.byHand(step,
          `the registration ${id} belongs to another application of yours: remove it with that one's token`);
      }
    }
    if (others.length > 0) {
      steps.kept(step, `not ours, left alone: ${others.map(({ postUrl }) => withoutToken(postUrl)).join(", ")}`);
    }
  }
}
