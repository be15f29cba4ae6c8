import { AHEAD_DAYS, buyersOf, type PlannedChange, type PolicyPlan, type TimedChange } from "../operations/plan.ts";
import { momentOf } from "../terminal/moments.ts";
import { counted, grouped } from "../terminal/progress.ts";

/** How a plan is told. */
export interface PlanWords {
  /** Whether buyers are named. */
  readonly names: boolean;
  /** A command of this program as somebody would type it. */
  readonly commandLine: (command: string) => string;
}

/** Names that are shown of each change, and changes by time; `--json` has all. */
const SHOWN = 5;

/** A plan in words, a line each. */
export function planLines(plan: PolicyPlan, words: PlanWords): readonly string[] {
  const { buyers, broken, gains, losses, held, byTime } = plan;
  const { commandLine } = words;
  return [
    `${counted(buyers, "buyer")} looked at${
      gains.length + losses.length + held.length === 0 ? ": nobody would gain or lose a role" : ""
    }`,
    ...(broken === 0 ? [] : [`of these, ${counted(broken, "record")} can't be read: ${commandLine("doctor")}`]),
    ...section("would gain", gains, words),
    ...section("would lose", losses, words),
    ...section("would lose, but for the hold", held, words),
    ...(held.length === 0 ? [] : [
      "  The hold keeps what they have: more than it lets through at once would lose the product, or the policy",
      '  doesn\'t say what their option gives (a former name goes into "also"). A person then says release or keep.',
    ]),
    ...timeLines(byTime, words),
  ];
}

function section(title: string, changes: readonly PlannedChange[], { names }: PlanWords): readonly string[] {
  if (changes.length === 0) return [];
  return [
    `${counted(buyersOf(changes).size, "buyer")} ${title}:`,
    ...changes.map(({ productId, product, role, buyers }) =>
      `  ${role}  ${nameOf(productId, product)}: ${names ? listed(buyers) : counted(buyers.length, "buyer")}`
    ),
  ];
}

function nameOf(productId: string, product: string | null): string {
  if (product !== null) return product;
  return productId === "" ? "no product" : `${productId}, which src/products.ts doesn't list`;
}

function timeLines(changes: readonly TimedChange[], { names }: PlanWords): readonly string[] {
  if (changes.length === 0) return [];
  const people = new Set(changes.map(({ buyer }) => buyer)).size;
  const head = `within ${String(AHEAD_DAYS)} days time alone changes something for ${counted(people, "buyer")}`;
  if (!names) return [head];
  const rest = changes.length - SHOWN;
  return [
    `${head}:`,
    ...changes.slice(0, SHOWN).map(({ buyer, at, gains, losses }) =>
      `  ${momentOf(at)}  ${buyer} ${
        [...losses.map((role) => `loses ${role}`), ...gains.map((role) => `gains ${role}`)].join(", ")
      }`
    ),
    ...(rest > 0 ? [`  and ${grouped(rest)} more; --json lists all`] : []),
  ];
}

function listed(buyers: readonly string[]): string {
  const rest = buyers.length - SHOWN;
  const first = buyers.slice(0, SHOWN).join(", ");
  return `${counted(buyers.length, "buyer")} (${rest > 0 ? `${first}, and ${grouped(rest)} more` : first})`;
}
