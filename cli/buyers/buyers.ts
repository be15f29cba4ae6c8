import type { Policy } from "../../src/access/policy.ts";
import { roleNames } from "../../tenant/role-names.ts";
import { ConfigError } from "../../src/errors.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { listBuyers, type ListedBuyer } from "../operations/buyers.ts";
import { csvLine } from "../terminal/csv.ts";
import { momentGiven, momentOf } from "../terminal/moments.ts";
import { grouped } from "../terminal/progress.ts";

/** The flags of `buyers`, as commander gives them. */
export interface BuyersFlags {
  readonly role?: string;
  readonly product?: string;
  readonly waiting?: true;
  readonly lostSince?: string;
  readonly limit: string;
  readonly after?: string;
  readonly all?: true;
  readonly csv?: true;
}

const HEAD = ["buyer", "roles", "bought", "waits", "lost last"];

/** Lists buyers. */
export async function buyers(text: string | undefined, flags: BuyersFlags, context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const policy = await context.policy();
  const { buyers: found, next } = await operate(context,
    (operating) =>
      listBuyers({ text: text?.trim().toLowerCase() ?? null, role: flags.role ?? null, product: flags.product ?? null,
        isWaiting: flags.waiting === true,
        lostSince: flags.lostSince === undefined ? null : momentGiven("--lost-since", flags.lostSince, "LOST_SINCE"),
        after: flags.after?.trim().toLowerCase() ?? null, most: flags.all === true ? null : limitOf(flags.limit) },
        operating));
  output.result({ buyers: found, next });
  const rows = found.map((buyer) => cellsOf(buyer, policy));
  if (flags.csv === true) {
    for (const row of [HEAD, ...rows]) output.say(csvLine(row));
    return EXIT.ok;
  }
  const roles = roleNames(policy);
  const isUnknown = flags.role !== undefined && !roles.includes(flags.role);
  if (found.length === 0) {
    output.say(
      isUnknown
        ? `nobody; src/products.ts gives ${
          roles.length === 0 ? "no role at all" : `no such role, but ${roles.join(", ")}`
        }`
        : "nobody",
    );
  } else output.table(HEAD, rows);
  if (next !== null) {
    output.say(`\n${grouped(found.length)} shown; there are more: ${commandLine(againAfter(text, flags, next))}`);
  }
  return EXIT.ok;
}

function cellsOf({ email, roles, products, waits, lost, unread }: ListedBuyer, policy: Policy): readonly string[] {
  const sinceOf = (wait: string) => unread?.find(({ code }) => code === wait)?.since;
  const words = waits.map((wait) => {
    const since = sinceOf(wait);
    return since === undefined ? wait : `${wait} since ${momentOf(since)}`;
  });
  return [email, roles.join(", "), products.map((id) => policy.get(id)?.name ?? id).join(", "), words.join(", "),
    lost === undefined ? "" : `${lost.roles.join(", ")} (${momentOf(lost.at)})`];
}

function limitOf(typed: string): number {
  if (/^[1-9]\d{0,5}$/.test(typed)) return Number(typed);
  throw new ConfigError("LIMIT_INVALID", `--limit ${typed} is no number from 1 on; --all lists all`);
}

/** The same list from there on, as somebody would type it. */
function againAfter(text: string | undefined, { role, product, waiting, lostSince, limit }: BuyersFlags,
  next: string): string {
  const given = { role, product, "lost-since": lostSince, limit: limit === "50" ? undefined : limit, after: next };
  const flags = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${/\s/.test(value) ? `"${value}"` : value}`]
  );
  return ["buyers", ...(text === undefined ? [] : [text]), ...(waiting === true ? ["--waiting"] : []), ...flags].join(
    " ",
  );
}
