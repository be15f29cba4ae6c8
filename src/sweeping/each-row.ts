import { NeedsPersonError } from "../errors.ts";
import { causesOf, log } from "../log.ts";
import { count } from "../metrics.ts";

/**
 * Works one row of a sweep's page. One that Gumroad answers in a way that can't be understood is told and left out: it
 * must not stop all the others, day after day.
 */
export async function eachAlone<T>(what: string, sweep: string,
  work: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NeedsPersonError) || error.code !== "GUMROAD_NOT_UNDERSTOOD") throw error;
    count("NeedsPerson");
    log.error("needs a person", { mend: "Gumroad's row can't be understood, and is left out of the sweep.", row: what,
      sweep, causes: causesOf(error) });
    return [];
  }
}
