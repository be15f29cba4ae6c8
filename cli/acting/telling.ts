import { userInfo } from "node:os";

import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { carryOut, type ActPlan, type RoleDifference, type Signature } from "../operations/carry-out.ts";
import type { SeenUser } from "../operations/look.ts";
import type { Came, Waiting } from "../operations/outcome.ts";
import { countOf } from "../replay/settings.ts";
import { momentOf } from "../terminal/moments.ts";
import type { ActFlags } from "../commands/options.ts";

/**
 * Who acts and why, asked for where it is missing.
 * @throws {ConfigError} WHY_MISSING
 */
export async function signatureOf({ by, why }: Pick<ActFlags, "by" | "why">,
  { questions }: Context): Promise<Signature> {
  const reason = (why ?? (await questions?.ask("Why")) ?? "").trim();
  if (reason === "") {
    throw new ConfigError("WHY_MISSING", "say why with --why: it is kept with the act, for whoever asks later");
  }
  return { by: by ?? userInfo().username, why: reason };
}

/**
 * How long to wait.
 * @throws {ConfigError} REPLAY_SETTING
 */
export function waitingOf({ within, wait }: Pick<ActFlags, "within" | "wait">): Waiting {
  const withinMs = countOf("--within", within) * 1000;
  return { withinMs: wait ? withinMs : null };
}

/**
 * What changes in what somebody is due, in words: `gets club, loses basic`. It is reckoned with the policy here, which
 * the stage may not have yet; what Auth0 had and has is the table's.
 */
export function differenceWords({ before, after }: Pick<RoleDifference, "before" | "after">): string {
  const gets = after.filter((role) => !before.includes(role));
  const loses = before.filter((role) => !after.includes(role));
  const words = [gets.length === 0 ? "" : `gets ${gets.join(", ")}`,
    loses.length === 0 ? "" : `loses ${loses.join(", ")}`].filter((part) => part !== "");
  return words.length > 0
    ? words.join(", ")
    : `is due the same as before by the policy here (${after.length === 0 ? "none" : after.join(", ")})`;
}

/**
 * Carries an act out, as it is told to scripts (`about` says what it comes to) and to people (`words`). A dry run ends
 * with that. "done" is said once Auth0 was seen to match.
 */
export async function carriedOut(plan: ActPlan, about: Readonly<Record<string, unknown>>, words: string,
  flags: ActFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const dryRun = flags.dryRun === true;
  const waiting = waitingOf(flags);
  if (dryRun) {
    output.say(words);
    output.result({ ...about, dryRun });
    return EXIT.ok;
  }
  const signature = await signatureOf(flags, context);
  output.say(words);
  const came = await operate(context, (operating) => carryOut(plan, signature, waiting, operating));
  const [first] = came.map(cameResult);
  output.result({ ...about, dryRun, ...signature,
    ...(came.length === 1 && first !== undefined
      ? { outcome: first.outcome, auth0: { before: first.before, after: first.after } }
      : { outcomes: came.map(({ outcome }) => outcome), auth0: came.map(cameResult) }) });
  return toldDone(came, flags, context);
}

/** Says what came of it, and "done" where all is. */
export function toldDone(came: readonly Came[], flags: Pick<ActFlags, "within" | "wait">, context: Context): ExitCode {
  const { output } = context;
  if (!tellCame(came, flags, context)) return EXIT.failed;
  if (flags.wait) output.say(output.tone("good", "done"));
  return EXIT.ok;
}

/**
 * Asks whether to go on, unless `--yes` was given.
 * @throws {ConfigError} `code`, where nobody can be asked (`unasked` says what to do then) or the answer is no
 */
export async function confirmed(question: string, fallback: boolean, { yes }: { readonly yes?: true | undefined },
  { code, unasked, refused }: { readonly code: string; readonly unasked: string; readonly refused: string },
  { questions }: Context): Promise<void> {
  if (yes === true) return;
  if (questions === null) throw new ConfigError(code, unasked);
  if (!(await questions.confirm(question, fallback))) throw new ConfigError(code, refused);
}

/** Says what came of it, once it did: each buyer's users before and after, and what keeps it. True: all done. */
export function tellCame(came: readonly Came[], flags: Pick<ActFlags, "within">, context: Context): boolean {
  const { output } = context;
  const rows = came.flatMap(({ buyer, before, after, record }) =>
    [...new Set([...(before ?? []), ...(after ?? [])].map(({ id }) => id))].map((id) => [
      ...(came.length === 1 ? [] : [buyer]),
      id,
      rolesIn(before, id, []),
      rolesIn(after, id, record.users[id] === undefined ? record.unverified : []),
    ])
  );
  if (rows.length > 0 && came.some(({ after }) => after !== null)) {
    output.table([...(came.length === 1 ? [] : ["buyer"]), "user at Auth0", "before", "after"], rows);
  }
  return came.map((each) => tellOutcome(each, flags, context)).every(Boolean);
}

function rolesIn(seen: readonly SeenUser[] | null, id: string, unverified: readonly string[]): string {
  if (seen === null) return "?";
  const user = seen.find((each) => each.id === id);
  if (user === undefined) return "no such user";
  if (!user.isThere) return "deleted";
  const roles = user.roles.length === 0 ? "none" : user.roles.join(", ");
  return unverified.includes(id) && user.verified === false ? `${roles} (not verified)` : roles;
}

/** What came of it, as scripts get it: the record itself is `explain`'s. */
export function cameResult({ buyer, outcome, before, after }: Came): Omit<Came, "record"> {
  return { buyer, outcome, before, after };
}

/** Says what keeps one buyer from what was sent; true: nothing does. */
export function tellOutcome({ buyer, outcome }: Came, { within }: Pick<ActFlags, "within">,
  { output, commandLine }: Context): boolean {
  switch (outcome.state) {
    case "applied":
      return true;
    case "queued":
      output.say(`queued for ${buyer}: ${commandLine(`explain ${buyer}`)} shows what comes of it`);
      return true;
    case "waits":
      output.say(
        output.tone("warning",
          `recorded for ${buyer}, but it waits: ${
            outcome.message.replace(/\.$/, "")
          } (${outcome.code}). It goes on by itself; ${
            commandLine(`explain ${buyer}`)
          } shows how far, and once its cause is mended ${commandLine(`sync ${buyer}`)} hurries it`),
      );
      return false;
    case "not seen":
      output.say(
        output.tone("bad",
          `sent for ${buyer}, but not taken in within ${within} s: ${
            commandLine("status")
          } shows the queue, and what could not be taken`),
      );
      return false;
    case "overruled":
      output.say(
        output.tone("bad",
          `overruled for ${buyer}: what ${outcome.by} decided ${
            momentOf(outcome.at)
          } UTC is newer and counts (${outcome.why}); again, if you know better`),
      );
      return false;
    case "differs":
      output.say(
        output.tone("bad",
          `recorded for ${buyer}, but Auth0 doesn't match: ${
            outcome.differences.map(({ userId, role, is }) => `${role} is ${is} (${userId})`).join(", ")
          }. ${commandLine(`sync ${buyer}`)} looks again`),
      );
      return false;
    case "unasked":
      output.say(
        output.tone("bad",
          `recorded for ${buyer}; whether Auth0 matches nobody knows: ${outcome.message} (${outcome.code})`),
      );
      return false;
  }
}
