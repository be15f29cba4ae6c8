import { TemporaryError } from "../../src/errors.ts";

/** Between attempts: together a minute, which outlasts a deployment of Gumroad's or a throttle of AWS's. */
const WAITS_MS = [1_000, 4_000, 10_000, 45_000] as const;

/**
 * Does something again that failed for a while, since a long command must not end over one lost answer.
 * @throws whatever the fifth attempt throws, and at once what waiting can't mend
 */
export async function patiently<T>(attempt: () => Promise<T>,
  wait: (milliseconds: number) => Promise<unknown>): Promise<T> {
  for (const pause of WAITS_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TemporaryError)) throw error;
      await wait(pause);
    }
  }
  return attempt();
}
