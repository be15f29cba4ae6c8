import { plannedGrant } from "../operations/grant.ts";
import type { Context } from "../context.ts";
import type { ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { isoOf, momentOf, untilOf } from "../terminal/moments.ts";
import { carriedOut, differenceWords } from "./telling.ts";
import type { ListFlags } from "./file.ts";

/** The flags of `grant`, as commander gives them. */
export interface GrantFlags extends ListFlags {
  readonly until?: string;
}

/** Gives somebody a role without a purchase. */
export async function grant(buyer: string, role: string, flags: GrantFlags, context: Context): Promise<ExitCode> {
  const plan = await operate(context, async (operating) => {
    const until = flags.until === undefined ? null : untilOf(flags.until, operating.now());
    return { ...(await plannedGrant({ buyer, role, until }, operating)), until };
  });
  const [difference = { before: [], after: [] }] = plan.changes;
  const { before, after } = difference;
  const about = { buyer, role, until: isoOf(plan.until), before, after };
  return carriedOut(plan, about,
    `${flags.dryRun === true ? "would give" : "gives"} ${role} ${
      plan.until === null ? "for good" : `until ${momentOf(plan.until)} UTC`
    }: ${buyer} ${differenceWords(difference)}`, flags, context);
}
