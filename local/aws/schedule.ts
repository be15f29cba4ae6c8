import { randomUUID } from "node:crypto";
import { ACCOUNT_ID, REGION } from "./account.ts";

const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Milliseconds of EventBridge's `rate(5 minutes)`; undefined if it is something else (a `cron(…)`). */
export function rateToMs(expression: string): number | undefined {
  const match = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression.trim());
  const unit = UNIT_MS[match?.[2] ?? ""];
  const count = Number(match?.[1]);
  return unit === undefined || !(count > 0) ? undefined : count * unit;
}

/** The event that EventBridge sends a function on its schedule. */
export function scheduledEvent(now: number): Record<string, unknown> {
  return { version: "0", id: randomUUID(), "detail-type": "Scheduled Event", source: "aws.events", account: ACCOUNT_ID,
    time: `${new Date(now).toISOString().slice(0, 19)}Z`, region: REGION, resources: [], detail: {} };
}

/** A running schedule. */
export interface Schedule {
  stop(): void;
}

/**
 * Calls `run` every `everyMs`. It never keeps the process alive. A call that is still running when the next is due is
 * not doubled: locally nothing is won by it.
 */
export function startSchedule(everyMs: number, run: () => Promise<unknown>): Schedule {
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    void run().finally(() => {
      running = false;
    });
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
