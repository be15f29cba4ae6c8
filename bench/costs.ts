import { readFileSync } from "node:fs";
import path from "node:path";

import { projectRoot } from "../scripts/project-root.ts";
import { brief, type Pair, standing, type Table, times } from "./figures.ts";
import { AUTH0_MS, GUMROAD_MS, measuredSale, SALES_A_PAGE, type Taken } from "./measured-sale.ts";

/** US dollars in us-east-1, as published in 2025 (DynamoDB's since November 2024), without taxes. */
const PRICES = { requests: 0.2e-6, gbSecond: 0.0000133334, api: 1e-6, queue: 0.5e-6, write: 0.625e-6, read: 0.125e-6,
  storedGb: 0.25, restorableGb: 0.2, secret: 0.4, secretCall: 0.05 / 10_000, alarm: 0.1, metric: 0.3, logGb: 0.5 };
/** What is free each month for good. */
const FREE = { requests: 1e6, gbSeconds: 400_000, queue: 1e6, storedGb: 25, alarms: 10, metrics: 10, logGb: 5 };

/** Assumed, as nothing here can tell it. */
const PINGS_A_SALE = 1.3;
/** A vCPU of Lambda's is had at so much memory, and is as fast as one here. */
const VCPU_MB = 1_769;
const MEMORY_MB = { ping: 512, provision: 512, handbook: 512, reconcile: 256 };
/** Lambda's own lines for an invocation, and API Gateway's for a request (bytes). */
const OWN_LINES = 350;
const ACCESS_LINE = 250;
/** Metrics of ours, by name and by log filter; src/metrics.ts and alarms.yml. */
const METRICS = 17;
const MINUTES = 30 * 24 * 60;
/** Of a minute, what reconcile gives to sweeps (s). */
const SWEEPING_S = 35;
/** Lambda's five pollers of an idle queue, 20 s each. */
const IDLE_POLLS = 5 * 3 * MINUTES;
/** A process reads its secrets anew every five minutes at most. */
const SECRET_READS = MINUTES / 5;
/** With the index entries and DynamoDB's own overhead. */
const STORED_FACTOR = 1.3;

type Measured = Awaited<ReturnType<typeof measuredSale>>;

const SALES = [100, 10_000, 1_000_000] as const;

/** What a sale takes here, measured and counted, and what a month of them costs on AWS by that. */
export async function costs(sales: number): Promise<Table[]> {
  const measured = await measuredSale(sales);
  const bills = SALES.map((count) => billOf(count, measured));
  const sums = bills.map((bill) => Object.values(bill).reduce((sum, each) => sum + each, 0));
  const theirs = SALES.map((count) => handbookBill(count, measured));
  const pairs = SALES.map((count, at): Pair => ({ what: `${String(count)} sales`, ours: sums[at] ?? 0,
    theirs: theirs[at] ?? 0, better: "less",
    why:
      "it keeps nothing and watches nothing: most of a small shop's bill is six secrets and the alarms, of a large " +
      "one's the ledger and the sweeps that find what no ping told" })
  );
  const { notes, unexplained } = standing(pairs);
  const names = Object.keys(bills[0] ?? {});
  return [takenTable(measured, sales), { title: "Cost a month on AWS, US dollars",
    columns: ["", ...SALES.map((count) => `${String(count)} sales`)],
    rows: [...names.map((name) => [name, ...bills.map((bill) => dollars(bill[name] ?? 0))]), ["**together**",
      ...sums.map((sum) => `**${dollars(sum)}**`)], ["the handbook's way", ...theirs.map(dollars)], [
      "service / handbook",
      ...pairs.map((pair) => times(pair.ours, pair.theirs)),
    ]], unexplained,
    notes: [...notes,
      "Prices: us-east-1, as published in 2025 (DynamoDB's since November 2024), without taxes and a new account's " +
      "first twelve months; what is free for good is taken off.",
      `**Measured and counted in this run**: durations, calls, DynamoDB's units, items' and log lines' bytes. ` +
      `**Assumed**: ${
        String(PINGS_A_SALE)
      } pings a sale, each of which costs what a purchase does and meets a start ` +
      "up to 10,000 sales; Lambda's processors, which a function has in the share of its memory in " +
      `${String(VCPU_MB)} MB; Lambda's polls of the idle queue; one more write for each in the index \`buyers\` and ` +
      `two a sale in \`due\`; ${String(METRICS)} metrics; a year's records stored; reconcile sweeps ` +
      `${String(SWEEPING_S)} s of each minute at most, which at 1,000,000 sales it always does.`] }];
}

function takenTable({ ping, provision, idle, page, handbook, sale }: Measured, sales: number): Table {
  const row = (name: string, taken: Pick<Taken, "waitMs" | "busyMs" | "initMs" | "logBytes">,
    mb: number) => [name, `${String(mb)} MB`, brief(taken.waitMs, "ms"), brief(taken.busyMs, "ms"),
    brief(1_000 * seconds(taken, mb, false), "ms"), taken.initMs === 0 ? "–" : brief(taken.initMs, "ms"),
    taken.logBytes === 0 ? "–" : brief(taken.logBytes, "B")];
  const pairs: Pair[] = [{ what: "what Gumroad waits for", better: "less", ours: seconds(ping, 512, false),
    theirs: seconds(handbook, 512, false) }, { what: "billed for a sale", better: "less",
    ours: seconds(ping, 512, false) + seconds(provision, 512, false), theirs: seconds(handbook, 512, false),
    why: "it reads no purchase back at Gumroad, and writes nothing down" }];
  const { notes, unexplained } = standing(pairs);
  return { title: `What a sale takes (means of ${String(sales)})`,
    columns: ["function", "memory", "waits", "at work, here", "billed, by that", "a start's load, here", "logs"],
    rows: [row("ping", ping, MEMORY_MB.ping), row("provision", provision, MEMORY_MB.provision),
      row("reconcile, when nothing is due", idle, MEMORY_MB.reconcile),
      row("reconcile, for each page of a sweep", { ...page, initMs: 0, logBytes: 0 }, MEMORY_MB.reconcile),
      row("the handbook's function", handbook, MEMORY_MB.handbook)], unexplained,
    notes: [...notes,
      `A call of Auth0's takes ${String(AUTH0_MS)} ms here, one of Gumroad's ${String(GUMROAD_MS)} ms; those of AWS ` +
      "next to nothing.",
      `A sale: ${brief(sale.calls)} writes of DynamoDB (${brief(sale.writes)} units without indexes), ` +
      `${brief(sale.reads)} read units, ${brief(sale.sent)} message, ${brief(sale.bytes)} bytes kept. A page of a ` +
      `sweep (${String(SALES_A_PAGE)} sales): ${brief(page.reads)} read units.`] };
}

/** Seconds that AWS bills for an invocation. */
function seconds({ waitMs, busyMs, initMs }: Pick<Taken, "waitMs" | "busyMs" | "initMs">, mb: number,
  isCold: boolean): number {
  return (waitMs + ((busyMs + (isCold ? initMs : 0)) * VCPU_MB) / mb) / 1_000;
}

const above = (amount: number, free: number) => Math.max(0, amount - free);

function lambda(requests: number, gbSeconds: number): number {
  return above(requests, FREE.requests) * PRICES.requests + above(gbSeconds, FREE.gbSeconds) * PRICES.gbSecond;
}

function logs(bytes: number): number {
  return above(bytes / 1e9, FREE.logGb) * PRICES.logGb;
}

function billOf(sales: number,
  { ping, provision, idle, page, sale, secrets, secretNames }: Measured): Readonly<Record<string, number>> {
  const pings = sales * PINGS_A_SALE;
  const isCold = sales <= 10_000;
  // Two days of sales every 15 minutes, and a year's every week.
  const wanted = (MINUTES / 15) * Math.max(1, (sales / 30) * 2 / SALES_A_PAGE) +
    (30 / 7) * (sales * 12 / SALES_A_PAGE);
  const pageSeconds = seconds({ ...page, initMs: 0 }, MEMORY_MB.reconcile, false);
  const pages = Math.min(wanted, (MINUTES * SWEEPING_S) / pageSeconds);
  const gbSeconds =
    pings *
      (seconds(ping, MEMORY_MB.ping, isCold) * MEMORY_MB.ping +
        seconds(provision, MEMORY_MB.provision, isCold) * MEMORY_MB.provision) /
      1_024 +
    (MINUTES * seconds(idle, MEMORY_MB.reconcile, false) + pages * pageSeconds) * MEMORY_MB.reconcile / 1_024;
  const writes = pings * (sale.writes + sale.calls + 2) + MINUTES * idle.writes + pages * page.writes;
  const reads = pings * sale.reads + MINUTES * idle.reads + pages * page.reads;
  const storedGb = (sales * 12 * sale.bytes * STORED_FACTOR) / 1e9;
  const alarms =
    readFileSync(path.join(projectRoot, "alarms.yml"), "utf8").split("Type: AWS::CloudWatch::Alarm").length - 1;
  return {
    "Secrets Manager": secretNames * PRICES.secret +
      Math.min(pings, SECRET_READS) * secrets * PRICES.secretCall + SECRET_READS * PRICES.secretCall,
    "CloudWatch: alarms, metrics": above(alarms, FREE.alarms) * PRICES.alarm +
      above(METRICS, FREE.metrics) * PRICES.metric,
    Lambda: lambda(2 * pings + MINUTES, gbSeconds),
    "API Gateway": pings * PRICES.api,
    "SQS FIFO": above(pings * (sale.sent + 2) + IDLE_POLLS, FREE.queue) * PRICES.queue,
    "DynamoDB: writes, reads": writes * PRICES.write + reads * PRICES.read,
    "DynamoDB: a year's records": above(storedGb, FREE.storedGb) * PRICES.storedGb + storedGb * PRICES.restorableGb,
    "CloudWatch: logs": logs(
      pings * (ping.logBytes + provision.logBytes + 2 * OWN_LINES + ACCESS_LINE) +
        MINUTES * (idle.logBytes + OWN_LINES),
    ),
  };
}

function handbookBill(sales: number, { handbook }: Measured): number {
  const pings = sales * PINGS_A_SALE;
  const gbSeconds = pings * seconds(handbook, MEMORY_MB.handbook, sales <= 10_000) * MEMORY_MB.handbook / 1_024;
  return lambda(pings, gbSeconds) + pings * PRICES.api + logs(pings * (OWN_LINES + ACCESS_LINE));
}

function dollars(amount: number): string {
  return amount < 100 ? amount.toFixed(2) : amount.toFixed(0);
}
