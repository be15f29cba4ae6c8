import type { Bucket } from "auth0-emulator/rate-limit";

import { brief, type Pair, quantile, standing, type Table, times } from "./figures.ts";
import { handbook, type Outcome, service, type Trial } from "./simulated.ts";

/** The plans, and of each the limit that a burst of new buyers meets first: Essentials counts writing apart. */
const PLANS = [
  { plan: "free", name: "Free", bucket: { burst: 2, perSecond: 2 }, part: 1 },
  { plan: "essentials", name: "Essentials, Professional", bucket: { burst: 20, perSecond: 200 / 60 }, part: 2 / 3 },
  { plan: "enterprise", name: "Enterprise", bucket: { burst: 50, perSecond: 16 }, part: 1 },
] as const;

/** What one burst is: 10,000 sales can't come in one instant, as 200 nearly can. */
const BURSTS = [{ buyers: 50, everyMs: 0, name: "50 at once" }, { buyers: 200, everyMs: 0, name: "200 at once" }, {
  buyers: 10_000,
  everyMs: 1,
  name: "10000 within 10 s",
}] as const;

/** How many of the bursts above: all, or the smallest alone. */
export type Bursts = "all" | "small";

/** Bursts of new buyers before each plan's limits, on a simulated clock. */
export async function bursts(which: Bursts): Promise<Table> {
  const rows: (readonly string[])[] = [];
  const pairs: Pair[] = [];
  const used: number[] = [];
  for (const { name: burst, ...size } of BURSTS.filter(({ buyers }) => (which === "small") === (buyers === 50))) {
    for (const { plan, name, bucket, part } of PLANS) {
      const trial = { ...size, limits: plan };
      const [ours, theirs] = [await service(trial), await handbook(trial)];
      const until = theirs.seconds.at(-1) ?? 0;
      used.push(share(ours, bucket, part));
      for (const [way, made] of [["service", ours], ["handbook", theirs]] as const) {
        rows.push([burst, name, way, String(made.answeredInTime), String(made.granted), String(by(made, until)),
          duration(made.seconds.at(-1)), percent(share(made, bucket, part)), refusals(made), String(made.tokens)]);
      }
      rows.push([burst, name, "service / handbook", times(ours.answeredInTime, theirs.answeredInTime),
        times(ours.granted, theirs.granted), times(by(ours, until), by(theirs, until)),
        ours.granted === theirs.granted ? times(ours.seconds.at(-1) ?? 0, until) : "–", "–",
        times(ours.refused, theirs.refused), times(ours.tokens, theirs.tokens)]);
      const row = (what: string, better: Pair["better"], of: (outcome: Outcome) => number): Pair => ({
        what: `${burst}, ${name}: ${what}`,
        better,
        ours: of(ours),
        theirs: of(theirs),
      });
      pairs.push(row("answered within 5 s", "more", (made) => made.answeredInTime),
        row("have the role", "more", (made) => made.granted), row("have it by the handbook's last", "more", (made) =>
          by(made, until)), row("refused", "less", (made) =>
          made.refused), row("tokens", "less", (made) => made.tokens));
    }
  }
  const { notes, unexplained } = standing(pairs);
  return { title: "Bursts of new buyers, on a simulated clock",
    columns: ["buyers", "plan", "way", "answered within 5 s", "have the role", "have it by the handbook's last",
      "until the last role", "of the limit used", "calls refused", "tokens"], rows, unexplained,
    notes: [...notes,
      "The handbook's *until the last role* is of the few who got one before Gumroad gave up; then the rest have " +
      "none, and nothing tells.",
      `**Of the limit used**, the least is ${percent(Math.min(...used))}. What stands in the way of more: until ` +
      "the first answers tell the limit, calls go alone, which a short burst feels; and no header tells how fast " +
      "the limit comes back, so the pace is felt for by a refusal now and then, each of them tried again. " +
      "Above a bucket's rate nothing can be had by anybody."] };
}

/** Who has the role so many seconds after their purchase. */
function by({ seconds }: Outcome, until: number): number {
  return seconds.filter((each) => each <= until).length;
}

/** The part (0 to 1) of what the limit allowed until the last role; what writes only, where that is the limit. */
function share({ served, took, granted, buyers }: Outcome, { burst, perSecond }: Bucket, part: number): number {
  // Where somebody never gets the role, most of the time passes with waiting for Gumroad's retries.
  if (granted < buyers) return Number.NaN;
  return (served * part) / (burst + perSecond * took);
}

function percent(part: number): string {
  return Number.isNaN(part) ? "–" : `${(100 * part).toFixed(1)} %`;
}

function refusals({ served, refused }: Outcome): string {
  return `${String(refused)} (${percent(refused / Math.max(1, served + refused))})`;
}

/** What befalls one call in ten. */
const FAULTS: readonly { readonly name: string; readonly fault: Trial["fault"] }[] = [
  { name: "none", fault: undefined },
  { name: "one call in ten: 503 or reset", fault: (random) => {
    if (random() >= 0.1) return null;
    return random() < 0.5 ? Response.json({}, { status: 503 }) : new TypeError("fetch failed: ECONNRESET");
  } },
  { name: "one call in ten: never answered", fault: (random) => random() < 0.1 ? "hang" : null },
];

const QUANTILES = [["p50", 0.5], ["p99", 0.99], ["worst", 1]] as const;
/** The first purchase's start, and the queue's hand-over, are no more than this much of the handbook's worst. */
const MOST_FOR_A_START = 1.5;

/** Seconds from a sale to its role, buyers one after the other, no limits. */
export async function faults(buyers: number): Promise<Table> {
  const rows: (readonly string[])[] = [];
  const pairs: Pair[] = [];
  const notes: string[] = [];
  for (const { name, fault } of FAULTS) {
    const trial = { buyers, everyMs: 20_000, limits: "none", fault } as const;
    const theirs = await handbook(trial);
    const onTrust = await service({ ...trial, onTrust: true });
    const reading = await service(trial);
    const ways = [["service", reading], ["service, on trust", onTrust]] as const;
    for (const [way, made] of [...ways, ["handbook", theirs]] as const) {
      rows.push([name, way, `${String(made.granted)} of ${String(buyers)}`, ...QUANTILES.map(([, part]) =>
        brief(quantile(made.seconds, part), "s")
      )]);
    }
    for (const [way, ours] of ways) {
      rows.push([name, `${way} / handbook`, times(ours.granted, theirs.granted), ...QUANTILES.map(([, part]) =>
        times(quantile(ours.seconds, part), quantile(theirs.seconds, part))
      )]);
      const worst = quantile(ours.seconds, 1);
      notes.push(
        `${name}: the worst of the ${way} is ${brief(worst, "s")}, ${worst <= 5 ? "within" : "not within"} 5 s.`,
      );
      pairs.push({ what: `${name}: ${way}: have the role`, ours: ours.granted, theirs: theirs.granted,
        better: "more" }, ...QUANTILES.map(([what, part]): Pair => {
          const at = (made: Outcome) => quantile(made.seconds, part);
          return { what: `${name}: ${way}: ${what}`, ours: at(ours), theirs: at(theirs), better: "less",
            why: whyLater(what, fault === undefined, { ours: at(ours), onTrust: at(onTrust), theirs: at(theirs) }) };
        }));
    }
  }
  const { notes: against, unexplained } = standing(pairs);
  return { title: `From a sale to its role, ${String(buyers)} buyers one after the other, on a simulated clock`,
    columns: ["faults at Auth0 and Gumroad", "way", "have the role", ...QUANTILES.map(([what]) => what)], rows,
    unexplained,
    notes: [...against, ...notes,
      "*On trust* is the service without a Gumroad token: it makes the calls that the handbook's way makes, and " +
      "none of Gumroad's.",
      "A 5xx or a broken connection is tried again after 75 to 150 ms, the next times longer. What is never " +
      "answered is given up after 10 s (Gumroad: 8 s) and made again; a change among them comes back through the " +
      "queue besides, as the first may be carried out yet. The SDK as it comes waits 60 s, longer than a function " +
      "lives."] };
}

/** Why a role may come later than by the handbook's way: only so far as what is said explains it. */
function whyLater(what: string, isCalm: boolean,
  { ours, onTrust, theirs }: Readonly<Record<"ours" | "onTrust" | "theirs", number>>): string | undefined {
  const isStart = isCalm && what === "worst";
  if (onTrust > theirs * (isStart ? MOST_FOR_A_START : 1)) return undefined;
  if (ours > onTrust) {
    return "it reads each purchase back at Gumroad first, a call of 150 to 450 ms: a forged ping gives nothing";
  }
  return isStart
    ? "the first purchase of all, which meets a start: as many calls as the handbook's, and the queue's hand-over " +
      "besides"
    : undefined;
}

function duration(seconds = Number.NaN): string {
  if (!Number.isFinite(seconds) || seconds < 120) return brief(seconds, "s");
  return seconds < 7_200 ? brief(seconds / 60, "min") : brief(seconds / 3_600, "h");
}
