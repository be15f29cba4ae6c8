import { createHash } from "node:crypto";

import type { Act } from "../../src/access/facts.ts";
import { ConfigError } from "../../src/errors.ts";
import type { BuyerRecord } from "../../src/ledger/record.ts";
import { lookAnew, type Signature } from "./carry-out.ts";
import { unknownRoles } from "./grant.ts";
import type { Operating } from "./operating.ts";
import { type Came, cameOf, type Waiting } from "./outcome.ts";

/** A customer of a file: a role for nothing, until then (epoch ms; null: for good). */
export interface FileRow {
  /** Where it stands in the file, from 1 on. */
  readonly line: number;
  readonly buyer: string;
  readonly role: string;
  readonly until: number | null;
  /** Why; empty: as the operator says of all. */
  readonly note: string;
}

/** Rows by what is to be done about them. */
export interface FilePlan {
  readonly kind: "give" | "take";
  readonly todo: readonly FileRow[];
  /** Done by an earlier run. */
  readonly done: readonly FileRow[];
  /** Somebody decided otherwise about them since: theirs counts. To be taken back, but not given by this file, too. */
  readonly left: readonly FileRow[];
}

/** So many buyers are waited for before the next are sent: as fast as Auth0 takes them, and no faster. */
const AT_ONCE = 10;

/**
 * Works out what a file's rows still ask for, or with `take` what of them is to be taken back. Nothing is written.
 * @throws {ConfigError} FILE_INVALID, with the line of each role that there isn't
 */
export async function plannedFile(rows: readonly FileRow[], kind: FilePlan["kind"],
  operating: Operating): Promise<FilePlan> {
  if (kind === "give") {
    const unknown = await unknownRoles(rows.map(({ role }) => role), operating);
    const wrong = rows.filter(({ role }) => unknown.missing.includes(role));
    if (wrong.length > 0) {
      throw new ConfigError("FILE_INVALID", `${
        wrong.map(({ line, role }) => `line ${String(line)}: there is no role "${role}"`).join("\n")
      }\nthere are: ${unknown.there.join(", ")}`);
    }
  }
  const plan: Record<"todo" | "done" | "left", FileRow[]> = { todo: [], done: [], left: [] };
  for (const [index, row] of rows.entries()) {
    plan[standing(row, kind, await operating.ledger.load(row.buyer))].push(row);
    operating.tell({ what: "rows looked at", done: index + 1, total: rows.length });
  }
  return { kind, ...plan };
}

/** Does what is to be done, some buyers at a time; stopped anywhere, the next run goes on. Throws as `cameOf`. */
export async function carryOutFile({ kind, todo }: FilePlan, { by, why }: Signature, waiting: Waiting,
  operating: Operating): Promise<readonly Came[]> {
  const { queue, ledger, now, tell } = operating;
  const came: Came[] = [];
  for (let start = 0; start < todo.length; start += AT_ONCE) {
    const part = todo.slice(start, start + AT_ONCE);
    const buyers = [...new Set(part.map(({ buyer }) => buyer))];
    const acts: { row: FileRow; act: Act }[] = [];
    for (const row of part) {
      const known = (await ledger.load(row.buyer)).sources[`grant:${row.role}`]?.act ?? null;
      acts.push({ row,
        act: { at: Math.max(now(), (known?.at ?? 0) + 1), id: idOf(row, kind), by,
          why: row.note === "" ? why : row.note,
          decision: kind === "give" ? { kind, until: row.until } : { kind } } });
    }
    const isTaken = (record: BuyerRecord): boolean =>
      acts.every(({ row, act }) =>
        row.buyer !== record.email || record.sources[`grant:${row.role}`]?.act?.id === act.id
      );
    came.push(
      ...(await cameOf(buyers, { isAbout: "act", isOfMany: true,
        takenIn: async (record) => ({ state: isTaken(record) ? "yes" : "no" }), send: async () => {
          for (const buyer of buyers) await queue.send(...lookAnew(buyer));
          for (const { row: { buyer, role }, act } of acts) {
            await queue.send({ v: 1, kind: "act", requestId: act.id, buyer, hops: 0, source: `grant:${role}`, act },
              `act ${act.id} ${String(act.at)}`);
          }
        } }, waiting, { ...operating, tell: () => undefined })),
    );
    tell({ what: "rows", done: Math.min(start + AT_ONCE, todo.length), total: todo.length });
  }
  return came;
}

function standing(row: FileRow, kind: FilePlan["kind"], record: BuyerRecord): "todo" | "done" | "left" {
  const act = record.sources[`grant:${row.role}`]?.act ?? null;
  const isOurs = (which: FilePlan["kind"]): boolean => act?.id === idOf(row, which);
  if (isOurs(kind)) return "done";
  if (kind === "take") return isOurs("give") ? "todo" : "left";
  if (act === null || isOurs("take")) return "todo";
  // Given with another end before: the file says it anew. Taken by somebody: they had a reason.
  return act.decision.kind === "give" ? "todo" : "left";
}

/** The same row again is the same act, so that a file can be run again. */
function idOf({ buyer, role, until }: FileRow, kind: FilePlan["kind"]): string {
  const row = JSON.stringify([buyer, role, until]);
  return `file-${kind}-${createHash("sha256").update(row).digest("hex").slice(0, 32)}`;
}
