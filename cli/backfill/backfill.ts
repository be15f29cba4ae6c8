import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { type BackfillReport, type BackfillRequest, begun, broughtIn, finishedBackfill, type LastBackfill,
  lastBackfill, salesToBring, timesFor } from "../operations/backfill.ts";
import { about, counted, grouped } from "../terminal/progress.ts";
import type { Questions } from "../terminal/questions.ts";
import type { BackfillTerms } from "./run.ts";

/** The flags of `backfill`, as commander gives them. */
export interface BackfillFlags {
  readonly since?: string;
  readonly adopt?: true;
  readonly keepForeign?: true;
  readonly invite?: true;
  readonly restart?: true;
  readonly dryRun?: true;
}

/** Brings every past buyer in, or goes on doing so. */
export async function backfill(flags: BackfillFlags, context: Context): Promise<ExitCode> {
  const { output, questions, commandLine } = context;
  const asked = requestOf(flags);
  const last = await operate(context, lastBackfill);
  if (last !== null && flags.restart !== true) {
    requireSameTerms(last, asked);
    if (last.finishedAt !== null) return tellFinished(last, last.finishedAt, context);
    if (flags.dryRun === true) return dryRun(last.terms, last, context);
    output.say(`goes on where it stopped, after ${grouped(last.read)} of ${counted(last.total, "sale")}`);
    return run(last.checkpoint, context);
  }
  const { since, invite } = asked;
  if (flags.dryRun === true) return dryRun({ since, adopt: asked.adopt === true, invite }, null, context);
  const terms: BackfillTerms = { since, adopt: asked.adopt ?? (await adopts(questions)), invite };
  output.say(`counting the sales${since === null ? "" : ` since ${since}`}: Gumroad doesn't say how many there are`);
  const { sales, news } = await operate(context, (operating) => salesToBring(terms, operating));
  output.say(
    `${counted(sales, "sale")}, ${grouped(news)} of them with something new. Ctrl-C stops; ${
      commandLine("backfill")
    } goes on`,
  );
  return run(await operate(context, (operating) => begun(terms, sales, last, operating)), context);
}

async function run(from: LastBackfill["checkpoint"], context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const report = await operate(context, (operating) => broughtIn(from, operating));
  const { sales, sent, changed, untaken, forgotten, nobodys, tookMs } = report;
  output.say(
    `${output.tone("good", "done")}: ${counted(sales, "sale")} seen, ${grouped(sent)} told to provision, ${
      counted(changed, "change")
    } of roles in Auth0. This run took ${about(tookMs)}`,
  );
  if (untaken.length > 0) {
    output.say(
      `${output.tone("warning", "not taken in")}: ${untaken.join(", ")}: see ${
        commandLine("replay --dead-letters --dry-run")
      }; else ${commandLine("explain")} says what is known of each`,
    );
  }
  if (forgotten.length > 0) output.say(`of people who were forgotten, and stay so: ${forgotten.join(", ")}`);
  if (nobodys.length > 0) {
    output.say(`${output.tone("warning", "gifts whose receiver Gumroad doesn't name")}: ${nobodys.join(", ")}`);
  }
  tellResult(report, from.read > 0, context);
  return untaken.length + nobodys.length > 0 ? EXIT.failed : EXIT.ok;
}

function tellResult({ terms, ...report }: BackfillReport, resumed: boolean, { output, stageName }: Context): void {
  output.result({ stage: stageName(), dryRun: false, finished: true, ...terms, ...report, resumed });
}

async function dryRun(terms: BackfillTerms, under: LastBackfill | null, context: Context): Promise<ExitCode> {
  const { output, stageName } = context;
  const count = await operate(context, (operating) => salesToBring(terms, operating));
  if (under !== null) output.say(`one is under way: ${counted(under.read, "sale")} done`);
  output.say(
    `${counted(count.sales, "sale")} of ${counted(count.buyers, "buyer")}; would have ${
      grouped(count.news)
    } of them read back, of ${counted(count.newsBuyers, "buyer")}`,
  );
  for (const { plan, ms } of timesFor(count.newsBuyers)) {
    output.say(`  on Auth0 ${plan}: ${about(ms)}, if all of them are new there`);
  }
  output.result({ stage: stageName(), dryRun: true, ...terms, ...count });
  return EXIT.ok;
}

async function tellFinished(last: LastBackfill, finishedAt: number, context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const report = await operate(context, (operating) => finishedBackfill(last, operating));
  const { terms: { since }, sales, changed } = report;
  output.say(
    `finished on ${new Date(finishedAt).toISOString().slice(0, 10)}: ${counted(sales, "sale")} seen${
      since === null ? "" : ` since ${since}`
    }, ${counted(changed, "change")} of roles. Anew: ${commandLine("backfill --restart")}`,
  );
  tellResult(report, false, context);
  return EXIT.ok;
}

function requestOf({ since, adopt, keepForeign, invite }: BackfillFlags): BackfillRequest {
  if (adopt === true && keepForeign === true) {
    throw new ConfigError("BACKFILL_FLAGS", "--adopt and --keep-foreign are opposites: give one of them");
  }
  return { since: dayOf(since), adopt: adopt === true ? true : keepForeign === true ? false : null,
    invite: invite === true };
}

function requireSameTerms({ terms, finishedAt }: LastBackfill, { since, adopt, invite }: BackfillRequest): void {
  const asked = [
    ...(since === null || since === terms.since ? [] : [`--since ${since}`]),
    ...(adopt === null || adopt === terms.adopt ? [] : [adopt ? "--adopt" : "--keep-foreign"]),
    ...(invite && !terms.invite ? ["--invite"] : []),
  ];
  if (asked.length === 0) return;
  throw new ConfigError("BACKFILL_TERMS",
    `a backfill without ${asked.join(" ")} ${finishedAt === null ? "is under way" : "is finished"}: ${
      finishedAt === null ? "go on with it without that option, or " : ""
    }begin anew with --restart`);
}

async function adopts(questions: Questions | null): Promise<boolean> {
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
