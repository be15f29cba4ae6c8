import { NeedsPersonError } from "../errors.ts";
import { causesOf, log } from "../log.ts";

/** Reads of Gumroad at once. Its limits are unknown; so few are no burst. */
const AT_ONCE = 4;

/**
 * Works the rows of a sweep's page, a few at a time, and gives what all of them came to, in their order. A row that
 * can't be understood is logged and left out: it must not stop all the others, day after day.
 */
export async function eachRow<Row extends { readonly id: string }, Found>(rows: readonly Row[], sweep: string,
  work: (row: Row) => Promise<readonly Found[]>): Promise<readonly Found[]> {
  const alone = async (row: Row): Promise<readonly Found[]> => {
    try {
      return await work(row);
    } catch (error) {
      if (!(error instanceof NeedsPersonError) || error.code !== "GUMROAD_NOT_UNDERSTOOD") throw error;
      log.error("a row of Gumroad's can't be understood, and is left out of the sweep", { row: row.id, sweep,
        causes: causesOf(error) });
      return [];
    }
  };
  const found: Found[] = [];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    found.push(...(await Promise.all(rows.slice(start, start + AT_ONCE).map(alone))).flat());
  }
  return found;
}
