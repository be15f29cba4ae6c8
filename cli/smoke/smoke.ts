import { type OperatorFlags, operatorOf } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { smoked, type SmokeReport, type SmokeStep, smokeTrial } from "../operations/smoke.ts";
import { countOf } from "../replay/settings.ts";
import { NEEDS_ADMIN } from "../stage/needs-admin.ts";
import { counted } from "../terminal/progress.ts";
import type { WayName } from "./ways.ts";

/** The flags of `smoke`, as commander gives them. */
export interface SmokeFlags extends OperatorFlags {
  readonly role?: string;
  readonly way?: WayName;
  readonly within: string;
  readonly dryRun?: true;
}

/** Has a throwaway buyer get a role and lose it. */
export async function smoke(flags: SmokeFlags, context: Context): Promise<ExitCode> {
  const { output, env, stageName } = context;
  const withinMs = countOf("--within", flags.within) * 1000;
  const trial = await operate(context, (operating) => smokeTrial({ way: flags.way, role: flags.role }, operating));
  const { buyer, way: { name: way, about: does, roles } } = trial;
  const about = { stage: stageName(), way, buyer, roles };
  output.say(`${does}: ${buyer} is to get ${roles.join(", ")}`);
  if (flags.dryRun === true) {
    output.result({ ...about, dryRun: true });
    return EXIT.ok;
  }
  const { isSettled, ...report } = await operate(context,
    (operating) =>
      smoked(trial, withinMs, operatorOf(flags, env), (step) => tellStep(step, withinMs, context), operating));
  tellCleaned({ isSettled, ...report }, context);
  output.result({ ...about, dryRun: false, ...report });
  return report.gainedMs !== null && report.lostMs !== null && report.leftUsers.length === 0 ? EXIT.ok : EXIT.failed;
}

function tellStep({ step, tookMs }: SmokeStep, withinMs: number, { output, commandLine }: Context): void {
  const what = step === "gained" ? "has the role" : "has lost it again";
  output.say(
    tookMs === null
      ? output.tone("bad", `not within ${String(withinMs / 1000)} s: ${what}. Why: ${commandLine("doctor")}`)
      : `${output.tone("good", what)} after ${(tookMs / 1000).toFixed(1)} s`,
  );
}

function tellCleaned({ erasedItems, deletedUsers, leftUsers, isSettled }: SmokeReport, { output }: Context): void {
  output.say(`erased: ${counted(erasedItems, "item")} of the ledger, ${counted(deletedUsers, "user")}`);
  if (!isSettled) {
    output.say(
      "a message about the buyer still waits: it may bring their record back, without the role; nobody is hurt by " +
        "that",
    );
  }
  if (leftUsers.length > 0) output.say(`left at Auth0: ${leftUsers.join(", ")}; delete it there, or ${NEEDS_ADMIN}`);
}
