import { readFileSync } from "node:fs";

import { CsvError, parse } from "csv-parse/sync";
import * as z from "zod";

import { ConfigError } from "../../src/errors.ts";
import { normalizedEmail } from "../../src/gumroad/email.ts";
import type { FileRow } from "../operations/grant-file.ts";
import { untilOf } from "../terminal/moments.ts";

const COLUMNS = ["email", "role", "until", "note"];
const parsedShape = z.array(
  z.object({ record: z.record(z.string(), z.string()), info: z.object({ lines: z.number() }) }),
);

/**
 * Reads a file of customers: CSV with a head, of the columns email and role, where wanted until and note. All of it
 * is checked, and all that is wrong said with its line.
 * @throws {ConfigError} FILE_INVALID
 */
export function customersIn(file: string, now: number): readonly FileRow[] {
  const wrong: string[] = [];
  const rows = parsedFile(file).map(({ record, info: { lines: line } }): FileRow => {
    const say = (problem: string): void => void wrong.push(`line ${String(line)}: ${problem}`);
    const { email = "", role = "", until = "", note = "" } = record;
    const buyer = normalizedEmail(email);
    if (buyer === null) say(`"${email}" is no email`);
    if (role === "") say("no role");
    return { line, buyer: buyer ?? "", role, until: until === "" ? null : endIn(until, now, say), note };
  });
  const first = new Map<string, number>();
  for (const { buyer, role, line } of rows) {
    const key = `${buyer} ${role}`;
    const before = first.get(key);
    if (before === undefined) first.set(key, line);
    else wrong.push(`line ${String(line)}: ${buyer} is to have ${role} by line ${String(before)} already`);
  }
  if (rows.length === 0) wrong.push("it has no rows");
  if (wrong.length === 0) return rows;
  throw new ConfigError("FILE_INVALID", `${file}: nothing was done.\n${wrong.join("\n")}`);
}

function parsedFile(file: string): z.infer<typeof parsedShape> {
  try {
    return parsedShape.parse(
      parse(readFileSync(file, "utf8"), { bom: true, trim: true, skip_empty_lines: true, info: true,
        columns: (head: readonly string[]) => columnsOf(head.map((name) => name.toLowerCase())) }),
    );
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof CsvError || (error instanceof Error && "code" in error)) {
      throw new ConfigError("FILE_INVALID", `${file} can't be read as CSV: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function columnsOf(head: readonly string[]): string[] {
  const unknown = head.filter((name) => !COLUMNS.includes(name));
  const missing = ["email", "role"].filter((name) => !head.includes(name));
  if (unknown.length + missing.length === 0) return [...head];
  throw new ConfigError("FILE_INVALID",
    `the first line names the columns: email, role, and where wanted until and note${
      missing.length === 0 ? "" : `; it lacks ${missing.join(", ")}`
    }${unknown.length === 0 ? "" : `; it has ${unknown.join(", ")}`}`);
}

function endIn(typed: string, now: number, say: (problem: string) => void): number | null {
  try {
    return untilOf(typed, now);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    say(error.message.replace(/^--/, ""));
    return null;
  }
}
