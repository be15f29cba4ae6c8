import type { Context } from "../context.ts";
import { mendLine, sentenceOf } from "../doctor/ledger-words.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import type { LedgerCount } from "../operations/count-ledger.ts";
import { stageStatus, type SweepStatus } from "../operations/status.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";
import { counted } from "../terminal/progress.ts";

/** The flags of `status`, as commander gives them. */
export interface StatusFlags {
  readonly quick?: true;
}

/** Says what came in, what is done and what waits. */
export async function status({ quick }: StatusFlags, context: Context): Promise<ExitCode> {
  const { output, commandLine, policy, stageName } = context;
  const names = new Map([...(await policy()).values()].map(({ id, name }) => [id, name]));
  const { at, queue, deadLetters: dead, ledger, lateSince, sweeps, needsPerson } = await operate(context,
    (operating) => stageStatus({ quick: quick === true }, operating));

  if (ledger !== null) showCounts(ledger, names, context);
  if (lateSince !== null) {
    output.say(
      output.tone("bad",
        `late      a buyer has been due since ${momentOf(lateSince)}: reconcile doesn't run, or the queue is full`),
    );
  }
  output.say(`queue     ${String(queue.waiting)} waiting, ${String(queue.inFlight)} being worked on or resting`);
  output.say(
    `dead      ${
      dead === 0
        ? "none"
        : output.tone("bad", `${String(dead)}: ${commandLine("replay --dead-letters --dry-run")} says of what kind`)
    }`,
  );
  for (const sweep of sweeps) output.say(`${sweep.sweep.padEnd("received".length)}  ${sweepWords(sweep)}`);
  output.result({ stage: stageName(), at: isoOf(at), queue, deadLetters: dead, late: lateSince !== null,
    ...(ledger === null ? {} : { ledger }), sweeps });
  return needsPerson ? EXIT.failed : EXIT.ok;
}

/** What operators' acts are called among the lines of history, each in its buyer's. */
const BY_HAND: Readonly<Record<string, string>> = { give: "given", take: "taken away", move: "moved away",
  follow: "moved here or undone" };

function showCounts(
  { received, waitingForSale, buyers, applied, waiting, unread, scheduled, held, oldestUnsettledAt, findings }:
    LedgerCount,
  names: ReadonlyMap<string, string>,
  { output, commandLine, stageName }: Context,
): void {
  const counts = (each: Readonly<Record<string, number>>): string =>
    Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${String(count)}`).join(
      ", ",
    );
  const told = Object.fromEntries(Object.entries(received).map(([event, count]) => [BY_HAND[event] ?? event, count]));
  const sum = Object.values(received).reduce((total, count) => total + count, 0);
  output.say(
    `received  ${String(sum)}${sum === 0 ? "" : `: ${counts(told)}`}${
      waitingForSale === 0 ? "" : `; no word of its sale yet: ${counted(waitingForSale, "purchase")}`
    }`,
  );
  output.say(`applied   ${String(applied)} of ${counted(buyers, "buyer")}`);
  const oldest = oldestUnsettledAt === null ? "" : `, the oldest since ${momentOf(oldestUnsettledAt)}`;
  const beside = unread === 0
    ? ""
    : `; ${counted(unread, "message")} to be read back: ${commandLine("buyers --waiting")}`;
  output.say(
    `waiting   ${
      Object.keys(waiting).length === 0 ? "nobody" : output.tone("warning", counts(waiting) + oldest)
    }${beside}${scheduled === 0 ? "" : `; ${String(scheduled)} due at a known time, with nothing to do until then`}`,
  );
  for (const [product, count] of Object.entries(held)) {
    const name = names.get(product) ?? product;
    output.say(
      output.tone("bad",
        `held      ${name}: ${counted(count, "buyer")}. Say ${commandLine(`release "${name}"`)} or ${
          commandLine(`keep "${name}"`)
        }`),
    );
  }
  // Those that are held are told above.
  for (const finding of findings.filter(({ code }) => code !== "HELD")) {
    const [head, mend] = finding.isNote === true
      ? [output.tone("warning", "note      "), "if it is wrong"]
      : [output.tone("bad", "found     "), "mend it"];
    output.say(`${head}${sentenceOf(finding)} (${finding.code})`);
    output.say(`          ${mend}: ${output.tone("strong", mendLine(finding, stageName(), commandLine))}`);
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
