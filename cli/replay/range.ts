import { randomUUID } from "node:crypto";

import { ConfigError, TemporaryError } from "../../src/errors.ts";
import { bulkQueue, type BulkMessage } from "../../src/queue/queue.ts";
import { NEARLY_EMPTY, queueFeed } from "../../src/sweeping/feed.ts";
import { distinct, dueFor, hintFor } from "../../src/sweeping/hints.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { momentOf, momentTyped } from "../terminal/moments.ts";
import { grouped, startProgress } from "../terminal/progress.ts";
import { historyBetween, type Touched } from "./history.ts";
import type { Stage } from "../stage/stage.ts";
import { readStored } from "../stage/secrets.ts";

/**
 * SQS counts its messages up to a minute late: a minute's share goes out, then its count is waited for. The local
 * queue's is right at once.
 */
const SHARE_MS = 60_000;
const LOCAL_SHARE_MS = 500;
const STALLED_MS = 5 * 60_000;

/**
 * Has everything read back, and all roles worked out anew, that the events of a time were about. Without a Gumroad
 * token only the roles: there is nothing to read.
 * @throws {ConfigError} REPLAY_RANGE; {TemporaryError} REPLAY_STALLED
 */
export async function replayRange(since: string, until: string | undefined, dryRun: boolean,
  context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const stage = await context.stage();
  const from = momentIn("--since", since);
  const to = until === undefined ? now() : momentIn("--until", until);
  if (from >= to) {
    throw new ConfigError("REPLAY_RANGE",
      `--since ${since} is not before ${until === undefined ? "now" : `--until ${until}`}`);
  }
  const readBack = (await readStored(stage, "gumroad")).state === "good";
  const { events, touched } = await historyBetween(stage.dynamo, stage.ledger, from, to);
  const buyers = new Set(touched.map(({ buyer }) => buyer)).size;
  const messages = messagesFor(touched, readBack, now);
  output.say(
    `${momentOf(from)} to ${momentOf(to)}: ${grouped(events)} events, about ${grouped(touched.length)} purchases of ${
      grouped(buyers)
    } buyers`,
  );
  if (!readBack) {
    output.say(
      `${output.tone("warning", "without a Gumroad token")} nothing can be read back: only roles are worked out anew`,
    );
  }
  if (!dryRun) await send(messages, stage, context);
  output.say(
    dryRun
      ? `would send ${grouped(messages.length)} messages to provision`
      : `${output.tone("good", "sent")}: ${grouped(messages.length)} messages to provision`,
  );
  output.result({ stage: stage.name, dryRun, since: new Date(from).toISOString(), until: new Date(to).toISOString(),
    events, purchases: touched.length, buyers, readBack, sent: dryRun ? 0 : messages.length });
  return EXIT.ok;
}

function messagesFor(touched: readonly Touched[], readBack: boolean, now: () => number): readonly BulkMessage[] {
  const about = { requestId: randomUUID(), sweep: `replay ${new Date(now()).toISOString()}`, now };
  return distinct(touched.map(({ buyer, source }) => {
    const [kind = "", id = ""] = split(source);
    // What an operator gave can't be read back anywhere.
    if (!readBack || kind === "grant") return dueFor(buyer, about);
    return hintFor(buyer, kind === "sale" ? { saleId: id } : { subscriptionId: id }, about);
  }));
}

function split(source: string): readonly string[] {
  const colon = source.indexOf(":");
  return [source.slice(0, colon), source.slice(colon + 1)];
}

async function send(messages: readonly BulkMessage[], stage: Stage, context: Context): Promise<void> {
  const progress = startProgress({ what: "messages", total: messages.length, before: 0 }, context);
  const never = new AbortController().signal;
  const share = stage.emulators === null ? SHARE_MS : LOCAL_SHARE_MS;
  const queue = bulkQueue(stage.sqs, stage.queue, "all");
  let feed = queueFeed({ queue, enough: never, deadline: never, wait: context.wait });
  let waited = 0;
  try {
    for (let start = 0; start < messages.length; start += NEARLY_EMPTY) {
      while (!(await feed.ready())) {
        if (waited >= STALLED_MS) {
          throw new TemporaryError("REPLAY_STALLED",
            `the queue has not got emptier for five minutes: ${context.commandLine("doctor")} finds why. ${
              grouped(start)
            } of ${grouped(messages.length)} messages were sent; sending them again is harmless`);
        }
        await context.wait(share);
        waited += share;
        feed = queueFeed({ queue, enough: never, deadline: never, wait: context.wait });
      }
      waited = 0;
      await feed.send(messages.slice(start, start + NEARLY_EMPTY));
      progress.to(Math.min(start + NEARLY_EMPTY, messages.length));
    }
  } finally {
    progress.stop();
  }
}

/** A day (its beginning, UTC) or a moment with its time zone. */
function momentIn(flag: string, typed: string): number {
  const at = momentTyped(typed);
  if (at !== null) return at;
  throw new ConfigError("REPLAY_RANGE",
    `${flag} ${typed} is no day (2026-01-31, its beginning in UTC) and no moment (2026-01-31T18:00:00Z)`);
}
