import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";

import { dynamoSweeps, sweepKinds, type SweepKind } from "../../src/ledger/sweeps.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { type LedgerCount, countLedger } from "./ledger-count.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";
import { startProgress } from "../terminal/progress.ts";
import type { Stage } from "../stage/stage.ts";
import { lastReport, type SweepReport } from "../ledger/sweep-reports.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";

/** The flags of `status`, as commander gives them. */
export interface StatusFlags {
  readonly quick?: true;
}

/** How full a queue is. SQS counts with a delay of up to a minute. */
interface QueueState {
  /** Messages that nobody works on. */
  readonly waiting: number;
  /** Messages that somebody works on, or that rest until they are tried again. */
  readonly inFlight: number;
}

/** How a sweep stands. */
interface SweepStatus {
  readonly sweep: SweepKind;
  /** Epoch ms; null: never begun. */
  readonly startedAt: number | null;
  /** Null while it is under way. */
  readonly finishedAt: number | null;
  readonly report: SweepReport | null;
}

/**
 * A due buyer is sent back to the queue within a minute: one who is late by so much (ms) means that reconcile doesn't
 * run.
 */
const LATE_MS = 10 * 60_000;

/** Says what came in, what is done and what waits. */
export async function status({ quick }: StatusFlags, context: Context): Promise<ExitCode> {
  const { output, now, policy } = context;
  const stage = await context.stage();
  const names = new Map([...(await policy()).values()].map(({ id, name }) => [id, name]));
  const [queue, deadLetters, sweeps] = await Promise.all([queueState(stage, stage.queue),
    queueState(stage, stage.deadLetters), sweepStates(stage)]);
  const counted = quick === true
    ? null
    : await countLedger(stage, (total) => startProgress({ what: "items of the ledger", total, before: 0 }, context));
  const dead = deadLetters.waiting + deadLetters.inFlight;

  if (counted !== null) showCounts(counted, names, context);
  const dueAt = counted?.earliestDueAt ?? null;
  const isLate = dueAt !== null && dueAt < now() - LATE_MS;
  if (isLate) {
    output.say(
      output.tone("bad",
        `late      a buyer has been due since ${momentOf(dueAt)}: reconcile doesn't run, or the queue is full`),
    );
  }
  output.say(`queue     ${String(queue.waiting)} waiting, ${String(queue.inFlight)} being worked on or resting`);
  output.say(
    `dead      ${
      dead === 0
        ? "none"
        : output.tone("bad",
          `${String(dead)}: ${context.commandLine("replay --dead-letters --dry-run")} says of what kind`)
    }`,
  );
  for (const sweep of sweeps) output.say(`${sweep.sweep.padEnd("received".length)}  ${sweepWords(sweep)}`);
  output.result({ stage: stage.name, at: isoOf(now()), queue, deadLetters: dead, late: isLate,
    ...(counted === null ? {} : { ledger: counted }), sweeps });
  const needsPerson = dead > 0 || isLate || (counted !== null && Object.keys(counted.held).length > 0);
  return needsPerson ? EXIT.failed : EXIT.ok;
}

function showCounts(
  { received, waitingForSale, buyers, applied, waiting, scheduled, held, oldestUnsettledAt }: LedgerCount,
  names: ReadonlyMap<string, string>,
  { output, commandLine }: Context,
): void {
  const counts = (each: Readonly<Record<string, number>>): string =>
    Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${String(count)}`).join(
      ", ",
    );
  const sum = Object.values(received).reduce((total, count) => total + count, 0);
  output.say(
    `received  ${String(sum)}${sum === 0 ? "" : `: ${counts(received)}`}${
      waitingForSale === 0 ? "" : `; ${String(waitingForSale)} purchases wait for word of their sale`
    }`,
  );
  output.say(`applied   ${String(applied)} of ${String(buyers)} buyers`);
  const oldest = oldestUnsettledAt === null ? "" : `, the oldest since ${momentOf(oldestUnsettledAt)}`;
  output.say(
    `waiting   ${Object.keys(waiting).length === 0 ? "nobody" : output.tone("warning", counts(waiting) + oldest)}${
      scheduled === 0 ? "" : `; ${String(scheduled)} are due at a known time, and need nothing until then`
    }`,
  );
  for (const [product, count] of Object.entries(held)) {
    const name = names.get(product) ?? product;
    output.say(
      output.tone("bad",
        `held      ${name}: ${String(count)} ${count === 1 ? "buyer" : "buyers"}. Say ${
          commandLine(`release "${name}"`)
        } or ${commandLine(`keep "${name}"`)}`),
    );
  }
}

function sweepWords({ startedAt, finishedAt, report }: SweepStatus): string {
  if (startedAt === null) return "never begun";
  const last = report === null
    ? ""
    : `; last report (${report.sweep}): read ${String(report.read)}, differed ${String(report.differed)}, sent ${
      String(report.sent)
    }, changed ${String(report.changed)}`;
  return `${
    finishedAt === null ? `under way since ${momentOf(startedAt)}` : `finished ${momentOf(finishedAt)}`
  }${last}`;
}

async function queueState({ sqs }: Stage, QueueUrl: string): Promise<QueueState> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] }),
  );
  return { waiting: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0) };
}

async function sweepStates({ dynamo, ledger }: Stage): Promise<readonly SweepStatus[]> {
  const sweeps = dynamoSweeps(dynamo, ledger);
  return Promise.all(sweepKinds.map(async (sweep) => {
    const [checkpoint, report] = await Promise.all([sweeps.load(sweep),
      lastReport(ledgerTable(dynamo, ledger), sweep)]);
    return { sweep, startedAt: checkpoint?.startedAt ?? null, finishedAt: checkpoint?.finishedAt ?? null, report };
  }));
}
