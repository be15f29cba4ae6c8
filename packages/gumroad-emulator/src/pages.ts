import { badRequest } from "./answer.ts";

/** A row of a list, with what the list goes by. */
export interface Listed {
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Larger for a later row of the same moment. */
  readonly number: number;
  readonly json: () => Record<string, unknown>;
}

/** One page. */
export interface Page {
  readonly rows: Record<string, unknown>[];
  readonly next: { readonly next_page_key: string; readonly next_page_url: string } | undefined;
}

/** The page after a key, newest first. The address of the next page is relative, and without the token. */
export function pageOf(rows: readonly Listed[], size: number, path: string,
  parameters: ReadonlyMap<string, string>): Page {
  const key = parameters.get("page_key") ?? "";
  const after = key === "" ? undefined : readKey(key);
  const sorted = [...rows].sort(newestFirst);
  const rest = after === undefined ? sorted : sorted.filter((row) => newestFirst(after, row) < 0);
  const shown = rest.slice(0, size);
  const last = shown.at(-1);
  return { rows: shown.map(({ json }) => json()),
    next: last === undefined || rest.length <= size ? undefined : linkTo(last, path, parameters) };
}

type Place = Pick<Listed, "createdAt" | "number">;

function newestFirst(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || b.number - a.number;
}

function linkTo(last: Place, path: string, parameters: ReadonlyMap<string, string>): NonNullable<Page["next"]> {
  const key = writeKey(last);
  const query = new URLSearchParams(
    [...parameters].filter(([name]) => !["access_token", "page", "page_key"].includes(name)),
  );
  query.set("page_key", key);
  return { next_page_key: key, next_page_url: `${path}?${query.toString()}` };
}

/** The moment to the microsecond, and a number: `20260105193856000000-524459763`. */
function writeKey({ createdAt, number }: Place): string {
  return `${new Date(createdAt).toISOString().replace(/\D/g, "")}000-${String(number)}`;
}

function readKey(key: string): Place {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})\d{3}-(\d{1,15})$/.exec(key);
  if (parts === null) throw badRequest("Invalid page_key.");
  const [year = 0, month = 1, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0, number = 0] = parts.slice(1)
    .map(Number);
  return { createdAt: Date.UTC(year, month - 1, day, hour, minute, second, millisecond), number };
}
