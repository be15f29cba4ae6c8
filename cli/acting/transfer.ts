import { grantedRole } from "../../src/access/facts.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { plannedTransfer, plannedTransferOfAll, type TransferPlan } from "../operations/transfer.ts";
import { counted } from "../terminal/progress.ts";
import { carriedOut, confirmed, differenceWords } from "./telling.ts";
import { buyerEmail } from "../commands/buyer-email.ts";
import type { ActFlags } from "../commands/options.ts";

/** The flags of `transfer`, as commander gives them. */
export interface TransferFlags extends ActFlags {
  readonly all?: true;
  readonly only?: true;
  readonly yes?: true;
}

/** Moves a purchase, or all, to another buyer. */
export async function transfer(named: string, to: string, flags: TransferFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const plan = await operate(context,
    (operating) =>
      flags.all === true
        ? plannedTransferOfAll({ from: buyerEmail(named), to }, operating)
        : plannedTransfer({ named, to, only: flags.only === true }, operating));
  const { from, sources, leftBehind, unread, changes } = plan;
  const dryRun = flags.dryRun === true;
  output.say(`${dryRun ? "would move " : ""}from ${from} to ${to}:`);
  for (const { id, product } of sources) {
    output.say(
      `  ${id}  ${
        product ?? (grantedRole(id) === null ? "a product that src/products.ts doesn't list" : "given for nothing")
      }`,
    );
  }
  if (!dryRun) await confirm(plan, flags, context);
  return carriedOut(plan, { from, to, sources: sources.map(({ id }) => id), leftBehind, unread, changes }, [
    ...changes.map((change) => `${change.buyer} ${differenceWords(change)}`),
    ...leftBehind.map((id) =>
      output.tone("warning", flags.all === true
        ? `an operator took ${id} away: it stays with ${from}`
        : `${id} was bought with it, and stays with ${from}`)
    ),
    ...(unread === 0 ? [] : [
      output.tone("warning",
        `${
          counted(unread, "message")
        } about ${from} couldn't be read back from Gumroad yet: what comes of that stays ` +
          `there, until you run this again once ${context.commandLine("buyers --waiting")} shows ${from} no more`),
    ]),
  ].join("\n"), flags, context);
}

/** Of one purchase, a person at a terminal has said enough. */
async function confirm({ sources, from, to }: TransferPlan, flags: TransferFlags, context: Context): Promise<void> {
  if (flags.all === true) {
    await confirmed(`Move all of this from ${from} to ${to}`, true, flags, { code: "MOVE_UNCONFIRMED",
      unasked: "nobody can be asked here: say --yes to move everything", refused: "nothing was moved" }, context);
  } else if (sources.length > 1) {
    await confirmed("These were bought together. Move all of them", true, flags, { code: "MOVE_TOGETHER",
      unasked: "these were bought together: say --yes to move all of them, or --only --yes for just the one you named",
      refused: "nothing was moved: --only moves just the one you named" }, context);
  } else if (context.questions === null) {
    await confirmed("", false, flags, { code: "MOVE_UNCONFIRMED",
      unasked: "nobody can be asked here: say --yes to move it", refused: "" }, context);
  }
}
