import { plannedRevoke } from "../operations/revoke.ts";
import { grantedRole } from "../../src/access/facts.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { carriedOut, differenceWords } from "./telling.ts";
import type { ListFlags } from "./file.ts";

/** The flags of `revoke`, as commander gives them. */
export interface RevokeFlags extends ListFlags {
  readonly source?: string;
  readonly undo?: true;
  readonly changes?: true;
}

/** Takes back what was given for nothing, or what a purchase gives. */
export async function revoke(buyer: string, role: string | undefined, flags: RevokeFlags,
  context: Context): Promise<ExitCode> {
  const { output } = context;
  const [undo, changes] = [flags.undo === true, flags.changes === true];
  const plan = await operate(context,
    (operating) => plannedRevoke({ buyer, role, source: flags.source, undo, changes }, operating));
  const { source, stillFrom, changes: [difference = { before: [], after: [] }] } = plan;
  const stays = stillFrom.map((id) =>
    output.tone("warning",
      `${grantedRole(source) ?? ""} also comes from ${id}: that stays, unless you take it with --source ${id}`)
  );
  return carriedOut(plan, { buyer, source, before: difference.before, after: difference.after, stillFrom }, [
    `${flags.dryRun === true ? "would take" : "takes"} ${
      undo ? "nothing any more from" : changes ? "what no charge has confirmed of" : "away"
    } ${source}: ${buyer} ${differenceWords(difference)}`,
    ...stays,
  ].join("\n"), flags, context);
}
