import { ledgerTable } from "../src/ledger/keys.ts";
import { dynamoLedger } from "../src/ledger/ledger.ts";
import { sqsQueue } from "../src/queue/queue.ts";
import type { Context } from "./context.ts";
import { once, type Operating } from "./operations/operating.ts";
import { serviceDirectory } from "./stage/directory.ts";
import { shownProgress } from "./terminal/progress.ts";

/**
 * Has a command's context carry out an operation, with a bar for its progress. Throws as the operation, and as
 * `context.stage`.
 */
export async function operate<T>(context: Context, operation: (operating: Operating) => Promise<T>): Promise<T> {
  const stage = await context.stage();
  const { now, wait, policy, commandLine } = context;
  const shown = shownProgress(context);
  try {
    return await operation({ stage, ledger: dynamoLedger(ledgerTable(stage.dynamo, stage.ledger)),
      queue: sqsQueue(stage.sqs, stage.queue), policy, directory: once(() => serviceDirectory({ stage, commandLine })),
      now, wait, commandLine, tell: shown.tell });
  } finally {
    shown.stop();
  }
}
