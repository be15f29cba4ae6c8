import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";

import { ledgerTable } from "../../src/ledger/keys.ts";
import { dynamoSweeps, sweepKinds, type SweepKind } from "../../src/ledger/sweeps.ts";
import { lastReport, type SweepReport } from "../ledger/sweep-reports.ts";
import type { Stage } from "../stage/stage.ts";
import { countLedger, type LedgerCount } from "./count-ledger.ts";
import type { Operating } from "./operating.ts";

/** How full a queue is. SQS counts with a delay of up to a minute. */
export interface QueueState {
  /** Messages that nobody works on. */
  readonly waiting: number;
  /** Messages that somebody works on, or that rest until they are tried again. */
  readonly inFlight: number;
}

/** How a sweep stands. */
export interface SweepStatus {
  readonly sweep: SweepKind;
  /** Epoch ms; null: never begun. */
  readonly startedAt: number | null;
  /** Null while it is under way. */
  readonly finishedAt: number | null;
  readonly report: SweepReport | null;
}

/** How a stage is. Times are epoch milliseconds. */
export interface StageStatus {
  readonly at: number;
  readonly queue: QueueState;
  readonly deadLetters: number;
  /** Null where it wasn't counted. */
  readonly ledger: LedgerCount | null;
  /** Since when a buyer has been due whom nobody looks at, or null. */
  readonly lateSince: number | null;
  readonly sweeps: readonly SweepStatus[];
  /** Whether a person has to see to something: dead letters, held removals, findings, a reconcile that doesn't run. */
  readonly needsPerson: boolean;
}

/**
 * A due buyer is sent back to the queue within a minute: one who is late by so much (ms) means that reconcile doesn't
 * run.
 */
const LATE_MS = 10 * 60_000;

/** Looks how a stage is; `quick` leaves the ledger alone. Throws as `countLedger`, and what the AWS SDK throws. */
export async function stageStatus({ quick }: { readonly quick: boolean }, operating: Operating): Promise<StageStatus> {
  const { stage, now } = operating;
  const [queue, letters, sweeps] = await Promise.all([queueState(stage, stage.queue),
    queueState(stage, stage.deadLetters), sweepStates(stage)]);
  const ledger = quick ? null : await countLedger(operating);
  const dueAt = ledger?.earliestDueAt ?? null;
  const lateSince = dueAt !== null && dueAt < now() - LATE_MS ? dueAt : null;
  const deadLetters = letters.waiting + letters.inFlight;
  const isToMend = ledger !== null &&
    (Object.keys(ledger.held).length > 0 || ledger.findings.some(({ isNote }) => isNote !== true));
  return { at: now(), queue, deadLetters, ledger, lateSince, sweeps,
    needsPerson: deadLetters > 0 || lateSince !== null || isToMend };
}

/** How full one of its queues is. Throws what the AWS SDK throws. */
export async function queueState({ sqs }: Pick<Stage, "sqs">, QueueUrl: string): Promise<QueueState> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] }),
  );
  return { waiting: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0) };
}

async function sweepStates({ dynamo, ledger }: Stage): Promise<readonly SweepStatus[]> {
  const sweeps = dynamoSweeps(ledgerTable(dynamo, ledger));
  return Promise.all(sweepKinds.map(async (sweep) => {
    const [checkpoint, report] = await Promise.all([sweeps.load(sweep),
      lastReport(ledgerTable(dynamo, ledger), sweep)]);
    return { sweep, startedAt: checkpoint?.startedAt ?? null, finishedAt: checkpoint?.finishedAt ?? null, report };
  }));
}
