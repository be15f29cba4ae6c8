import type { RefusedError } from "../errors.ts";
import { log } from "../log.ts";
import { count } from "../metrics.ts";
import type { Queue } from "./queue.ts";

/** Keeps what can never be right in the dead-letter queue, says so in the log and counts it for the alarm. */
export async function keepRefused(queue: Pick<Queue, "keep">, error: RefusedError, requestId: string, body: string,
  signal?: AbortSignal): Promise<void> {
  await queue.keep({ code: error.code, reason: error.message, requestId, body }, signal);
  count("DeadLettered");
  log.error("kept in the dead-letter queue", { requestId, code: error.code, reason: error.message });
}
