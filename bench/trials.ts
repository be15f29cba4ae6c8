import type { Bucket } from "auth0-emulator/rate-limit";

import { brief, quantile, type Table, times } from "./figures.ts";
import { handbook, type Outcome, service, type Trial } from "./simulated.ts";

/** The plans, and of each the limit that a burst of new buyers meets first: Essentials counts writing apart. */
const PLANS = [
  { plan: "free", name: "Free", bucket: { burst: 2, perSecond: 2 }, part: 1 },
  { plan: "essentials", name: "Essentials, Professional", bucket: { burst: 20, perSecond: 200 / 60 }, part: 2 / 3 },
  { plan: "enterprise", name: "Enterprise", bucket: { burst: 50, perSecond: 16 }, part: 1 },
] as const;

/** Bursts of so many new buyers at once before each plan's limits, on a simulated clock. */
export async function bursts(sizes: readonly number[]): Promise<Table> {
  const rows: (readonly string[])[] = [];
  for (const buyers of sizes) {
    for (const { plan, name, bucket, part } of PLANS) {
      for (const way of [service, handbook]) {
        const made = await way({ buyers, everyMs: 0, limits: plan });
        rows.push([String(buyers), name, way.name, made.answeredInTime === null ? "–" : String(made.answeredInTime),
          String(made.granted), duration(made.seconds.at(-1)), share(made, bucket, part), refusals(made),
          String(made.tokens)]);
      }
    }
  }
  return { title: "Bursts of new buyers, on a simulated clock",
    columns: ["buyers at once", "plan", "way", "answered within 5 s", "have the role", "until the last role",
      "of the limit used", "calls refused", "tokens"], rows };
}

/** The part of what the limit allowed until the last role. */
function share({ served, seconds, granted, buyers }: Outcome, { burst, perSecond }: Bucket, part: number): string {
  // Where somebody never gets the role, most of the time passes with waiting for Gumroad's retries.
  if (granted < buyers) return "–";
  return `${brief((100 * served * part) / (burst + perSecond * (seconds.at(-1) ?? 0)))} %`;
}

function refusals({ served, refused }: Outcome): string {
  return `${String(refused)} (${brief((100 * refused) / Math.max(1, served + refused))} %)`;
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

/** Seconds from a sale to its role, buyers one after the other, no limits. */
export async function faults(buyers: number): Promise<Table> {
  const rows: (readonly string[])[] = [];
  for (const { name, fault } of FAULTS) {
    const trial = { buyers, everyMs: 20_000, limits: "none", fault } as const;
    const [ours, theirs] = [await service(trial), await handbook(trial)];
    for (const [way, made] of [["service", ours], ["handbook", theirs]] as const) {
      rows.push([name, way, `${String(made.granted)} of ${String(buyers)}`, ...[0.5, 0.99, 1].map((part) =>
        brief(quantile(made.seconds, part), "s")
      )]);
    }
    rows.push([name, "service / handbook", "", ...[0.5, 0.99, 1].map((part) =>
      times(quantile(ours.seconds, part), quantile(theirs.seconds, part))
    )]);
  }
  return { title: `From a sale to its role, ${String(buyers)} buyers one after the other, on a simulated clock`,
    columns: ["faults at Auth0", "way", "have the role", "p50", "p99", "worst"], rows };
}

function duration(seconds = Number.NaN): string {
  if (!Number.isFinite(seconds) || seconds < 120) return brief(seconds, "s");
  return seconds < 7_200 ? brief(seconds / 60, "min") : brief(seconds / 3_600, "h");
}
