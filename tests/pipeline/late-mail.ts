import type { GumroadEmulator } from "gumroad-emulator";
import { deliverByHttp, type Deliver, type Post } from "gumroad-emulator/post";
import type { Random } from "./random-shop.ts";

/**
 * Keeps a shop's pings, to bring many at once: what arrived of a buyer meanwhile is then worked off together, as after
 * an outage.
 */
export interface LateMail {
  readonly deliver: Deliver;
  /** Posts what was kept, in any order. Gives the answers that were not 200. */
  bring(): Promise<readonly unknown[]>;
  /** Bodies that were answered with 200. */
  readonly acknowledged: readonly string[];
}

const TIMEOUT_MS = 20_000;
const AT_ONCE = 40;
const RETRIES = 3;
/** SQS drops what it was sent within so long before. */
const DEDUPLICATION_MS = 5 * 60_000;

/** Mail that goes by the shop's time. */
export function lateMail(shop: () => GumroadEmulator, random: Random): LateMail {
  const post = deliverByHttp(TIMEOUT_MS);
  const acknowledged: string[] = [];
  const broughtAt = new Map<string, number>();
  let kept: Post[] = [];

  /**
   * The emulated SQS goes by the machine's clock, on which a whole history is over within its five minutes: a ping
   * that comes again later in the shop's time has to look like another message.
   */
  function dated(ping: Post): Post {
    const now = shop().now();
    const before = broughtAt.get(ping.body);
    broughtAt.set(ping.body, now);
    return before === undefined || now - before < DEDUPLICATION_MS
      ? ping
      : { ...ping, body: `${ping.body}&brought_again_at=${String(now)}` };
  }

  /** Gumroad sends again after a 5xx, three times. */
  async function persistently(ping: Post): Promise<unknown> {
    let answer = await post(ping);
    for (let retry = 1; retry <= RETRIES && (answer === "unreachable" || (answer ?? 200) >= 500); retry += 1) {
      answer = await post({ ...ping, body: `${ping.body}&retry_count=${String(retry)}` });
    }
    if (answer === 200) acknowledged.push(ping.body);
    return answer;
  }

  return { acknowledged, deliver: (ping) => {
    kept.push(ping);
    return 200;
  }, bring: async () => {
    const order = kept.map((ping) => ({ ping, at: random() })).sort((a, b) => a.at - b.at);
    kept = [];
    const refused: unknown[] = [];
    for (let start = 0; start < order.length; start += AT_ONCE) {
      const answers = await Promise.all(
        order.slice(start, start + AT_ONCE).map(async ({ ping }) => persistently(dated(ping))),
      );
      refused.push(...answers.filter((answer) => answer !== 200));
    }
    return refused;
  } };
}
