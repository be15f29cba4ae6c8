import { randomUUID } from "node:crypto";

import { ConfigError } from "../../src/errors.ts";
import { ownerOfRow, sourceOfRow } from "../../src/gumroad/facts-of-rows.ts";
import { dynamoTombstones } from "../../src/ledger/tombstones.ts";
import { CALL_MS } from "../operations/operating.ts";
import { storedKey } from "../forget/key.ts";
import { dynamoSurvey } from "../../src/ledger/survey.ts";
import { dynamoSweeps, type Checkpoint } from "../../src/ledger/sweeps.ts";
import { bulkQueue } from "../../src/queue/queue.ts";
import { beginning, type Backfilling, type BackfillOutcome, type BackfillTerms, countSales, positionOf,
  runBackfill } from "./run.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { about, grouped, startProgress } from "../terminal/progress.ts";
import type { Questions } from "../terminal/questions.ts";
import { openShop } from "../shop/service-shop.ts";
import type { Stage } from "../stage/stage.ts";
import { lastReport } from "../ledger/sweep-reports.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";

/** The flags of `backfill`, as commander gives them. */
export interface BackfillFlags {
  readonly since?: string;
  readonly adopt?: true;
  readonly keepForeign?: true;
  readonly invite?: true;
  readonly restart?: true;
  readonly dryRun?: true;
}

/** Between two looks at what provision has done. SQS's own count is up to a minute late; the local queue's isn't. */
const LOCAL_PACE = { pollMs: 100, countLagMs: 2_000 } as const;
const PACE = { pollMs: 2_000, countLagMs: 90_000 } as const;
const COUNTED_EVERY_MS = 10_000;
/** Buyers a minute, by Auth0's plan: a new one takes a look-up, a create and an assign. */
const PLANS = [["Free", 40], ["Essentials and Professional", 100], ["Enterprise", 320]] as const;

/** Brings every past buyer in, or goes on doing so. */
export async function backfill(flags: BackfillFlags, context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const since = dayOf(flags.since);
  if (flags.adopt === true && flags.keepForeign === true) {
    throw new ConfigError("BACKFILL_FLAGS", "--adopt and --keep-foreign are opposites: give one of them");
  }
  const stage = await context.stage();
  const sweeps = dynamoSweeps(ledgerTable(stage.dynamo, stage.ledger));
  const last = await sweeps.load("backfill");
  const work: Backfilling = { shop: await openShop(stage, context),
    survey: dynamoSurvey(ledgerTable(stage.dynamo, stage.ledger)), sweeps,
    queue: bulkQueue(stage.sqs, stage.queue, "all"), now, wait: context.wait, requestId: randomUUID(),
    ...(stage.emulators === null ? PACE : LOCAL_PACE) };

  if (last !== null && flags.restart !== true) {
    requireSameTerms(last, flags, since);
    if (last.finishedAt !== null) return finishedBefore(last, stage, context);
    if (flags.dryRun === true) return dryRun({ ...positionOf(last) }, last, work, stage, context);
    const { total } = positionOf(last);
    output.say(`goes on where it stopped: ${grouped(last.read)} of ${grouped(total)} sales are done`);
    return run(last, work, stage, context);
  }
  if (flags.dryRun === true) {
    return dryRun({ since, adopt: flags.adopt === true, invite: flags.invite === true }, null, work, stage, context);
  }
  const terms: BackfillTerms = { since, adopt: await adopts(flags, context.questions), invite: flags.invite === true };
  output.say(`counting the sales${since === null ? "" : ` since ${since}`}: Gumroad doesn't say how many there are`);
  const { sales, news } = await countSales(terms, work, counting(context));
  output.say(
    `${grouped(sales)} sales, ${grouped(news)} of them with something new. Ctrl-C stops; ${
      context.commandLine("backfill")
    } goes on`,
  );
  const begun = await sweeps.save(beginning(terms, sales, last, now()));
  if (begun === null) {
    throw new ConfigError("BACKFILL_ELSEWHERE", "another backfill of this stage has just begun: leave it to that");
  }
  return run(begun, work, stage, context);
}

async function run(begun: Checkpoint, work: Backfilling, stage: Stage, context: Context): Promise<ExitCode> {
  const { output, now } = context;
  const startedAt = now();
  const progress = startProgress({ what: "sales", total: positionOf(begun).total, before: begun.read }, context);
  let outcome: BackfillOutcome;
  try {
    outcome = await runBackfill(begun, work, progress.to);
  } finally {
    progress.stop();
  }
  const { checkpoint, taken, nobodys } = outcome;
  const { forgotten, untaken } = await sorted(outcome.untaken, work, stage);
  const changed = await changedBy(stage);
  const { since, adopt, invite } = positionOf(checkpoint);
  output.say(
    `${output.tone("good", "done")}: ${grouped(checkpoint.read)} sales seen, ${
      grouped(checkpoint.sent)
    } told to provision, ${grouped(changed)} changes of roles in Auth0. This run took ${about(now() - startedAt)}`,
  );
  if (untaken.length > 0) {
    output.say(
      `${output.tone("warning", "not taken in")}: ${untaken.join(", ")}: see ${
        context.commandLine("replay --dead-letters --dry-run")
      }`,
    );
  }
  if (forgotten.length > 0) output.say(`of people who were forgotten, and stay so: ${forgotten.join(", ")}`);
  if (nobodys.length > 0) {
    output.say(`${output.tone("warning", "gifts whose receiver Gumroad doesn't name")}: ${nobodys.join(", ")}`);
  }
  output.result({ stage: stage.name, dryRun: false, finished: true, since, adopt, invite, sales: checkpoint.read,
    differed: checkpoint.differed, sent: checkpoint.sent, taken, changed, untaken, forgotten, nobodys,
    resumed: begun.read > 0, tookMs: now() - startedAt });
  return untaken.length + nobodys.length > 0 ? EXIT.failed : EXIT.ok;
}

/** Sales that weren't taken in: those of forgotten people should not be. */
async function sorted(untaken: readonly string[], { shop }: Backfilling, stage: Stage) {
  const key = untaken.length === 0 ? null : await storedKey(stage);
  const tombstones = key === null ? null : dynamoTombstones(ledgerTable(stage.dynamo, stage.ledger), key);
  const isForgotten = async (id: string): Promise<boolean> => {
    const row = tombstones === null ? null : await shop.sale(id, AbortSignal.timeout(CALL_MS));
    const buyer = row === null ? null : ownerOfRow(row);
    if (row === null || tombstones === null) return false;
    const subjects = [sourceOfRow(row), ...(buyer === null ? [] : [`buyer:${buyer}` as const])];
    return (await Promise.all(subjects.map((subject) => tombstones.forgottenAt(subject)))).some((at) => at !== null);
  };
  const are = await Promise.all(untaken.map(isForgotten));
  return { forgotten: untaken.filter((_, place) => are[place]), untaken: untaken.filter((_, place) => !are[place]) };
}

async function dryRun(terms: BackfillTerms, under: Checkpoint | null, work: Backfilling, stage: Stage,
  context: Context): Promise<ExitCode> {
  const { output } = context;
  const count = await countSales(terms, work, counting(context));
  if (under !== null) output.say(`one is under way: ${grouped(under.read)} sales are done`);
  output.say(
    `${grouped(count.sales)} sales of ${grouped(count.buyers)} buyers; would have ${
      grouped(count.news)
    } of them read back, of ${grouped(count.newsBuyers)} buyers`,
  );
  for (const [plan, perMinute] of PLANS) {
    output.say(`  on Auth0 ${plan}: ${about((count.newsBuyers / perMinute) * 60_000)}, if all of them are new there`);
  }
  const { since, adopt, invite } = terms;
  output.result({ stage: stage.name, dryRun: true, since, adopt, invite, ...count });
  return EXIT.ok;
}

async function finishedBefore(last: Checkpoint, stage: Stage, { output, commandLine }: Context): Promise<ExitCode> {
  const { since, adopt, invite } = positionOf(last);
  const changed = await changedBy(stage);
  output.say(
    `finished on ${new Date(last.finishedAt ?? 0).toISOString().slice(0, 10)}: ${grouped(last.read)} sales seen${
      since === null ? "" : ` since ${since}`
    }, ${grouped(changed)} changes of roles. Anew: ${commandLine("backfill --restart")}`,
  );
  output.result({ stage: stage.name, dryRun: false, finished: true, since, adopt, invite, sales: last.read,
    differed: last.differed, sent: last.sent, taken: 0, changed, untaken: [], forgotten: [], nobodys: [],
    resumed: false, tookMs: 0 });
  return EXIT.ok;
}

/** Ten sales a page: a large shop takes minutes to be counted. */
function counting({ output, complain, now }: Context): (sales: number) => void {
  let last = now();
  return (sales) => {
    if (output.json || now() - last < COUNTED_EVERY_MS) return;
    last = now();
    complain(`${grouped(sales)} sales so far`);
  };
}

/** Counted by provision, change by change. */
async function changedBy({ dynamo, ledger }: Stage): Promise<number> {
  return (await lastReport(ledgerTable(dynamo, ledger), "backfill"))?.changed ?? 0;
}

function requireSameTerms(last: Checkpoint, flags: BackfillFlags, since: string | null): void {
  const known = positionOf(last);
  const asked = [
    ...(flags.since === undefined || since === known.since ? [] : [`--since ${flags.since}`]),
    ...(flags.adopt === true && !known.adopt ? ["--adopt"] : []),
    ...(flags.keepForeign === true && known.adopt ? ["--keep-foreign"] : []),
    ...(flags.invite === true && !known.invite ? ["--invite"] : []),
  ];
  if (asked.length === 0) return;
  const state = last.finishedAt === null ? "is under way" : "is finished";
  throw new ConfigError("BACKFILL_TERMS",
    `a backfill without ${asked.join(" ")} ${state}: ${
      last.finishedAt === null ? "go on with it without that option, or " : ""
    }begin anew with --restart`);
}

async function adopts(flags: BackfillFlags, questions: Questions | null): Promise<boolean> {
  if (flags.adopt === true || flags.keepForeign === true) return flags.adopt === true;
  if (questions !== null) {
    return questions.confirm(
      "Did another integration give buyers their roles before? Then such a role counts as ours, and a refund takes " +
        "it away",
      false,
    );
  }
  throw new ConfigError("BACKFILL_ADOPT",
    "say what becomes of roles that buyers already have: --adopt counts those that their purchases give as ours, " +
      "so that a refund takes them away; --keep-foreign leaves them alone for good");
}

function dayOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text) {
    throw new ConfigError("BACKFILL_SINCE", `--since ${text} is no day such as 2026-01-31`);
  }
  return text;
}
