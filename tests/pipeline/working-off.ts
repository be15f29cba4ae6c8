import * as z from "zod";

import type { Stack } from "../../local/stack.ts";

const MINUTE = 60_000;
/** So long nothing is worked on, though messages wait. */
const STANDSTILL_MS = 3_000;
const reportShape = z.object({ due: z.number(), sweeps: z.array(z.unknown()) });

/**
 * Until the queue holds nothing but what waits for a later time. A message that failed keeps the rest of its buyer's
 * waiting: where nothing moves any more, time does.
 */
export async function workOff(running: Stack, standstillMs = STANDSTILL_MS): Promise<void> {
  let movedAt = performance.now();
  for (;;) {
    // To look into a long queue costs more than to work it off.
    if (running.inHand() > 0) movedAt = performance.now();
    else if ((await running.sqs.inspect("ProvisionQueue")).waiting.length === 0) return;
    else if (performance.now() - movedAt > standstillMs) {
      await running.advance(10 * MINUTE);
      movedAt = performance.now();
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What Gumroad's answer contradicted is read again after a minute; what it didn't know, after up to ten. */
export async function waitsOver(running: Stack): Promise<void> {
  for (const wait of [MINUTE, 3 * MINUTE, 10 * MINUTE]) {
    await running.advance(wait + MINUTE);
    await workOff(running);
  }
}

/** `reconcile` as its schedule calls it, until it has no more to do. */
export async function reconcile(running: Stack): Promise<void> {
  for (;;) {
    const result = await running.invoke("reconcile");
    if (result.kind !== "answer") throw new Error(`${result.errorType}: ${result.message}`);
    const { due, sweeps } = reportShape.parse(JSON.parse(result.payload));
    await workOff(running);
    // A run that found much leaves the next sweep to the next run.
    if (due === 0 && sweeps.length === 0) return;
    await running.advance(MINUTE);
  }
}
