import { body, saleBy } from "../tests/pipeline/local-stack.ts";
import { type BothWays, startBothWays } from "./both-ways.ts";
import { brief, inOrder, quantile, type Table, times } from "./figures.ts";

/** A call of Auth0's takes so long here (ms). */
export const LATENCY_MS = 100;

type Side = BothWays["service"];

/** Calls a ping, and how long Gumroad waits for the answer. */
export async function answers({ warm, cold }: { readonly warm: number; readonly cold: number }): Promise<Table[]> {
  const both = await startBothWays(LATENCY_MS);
  try {
    const { service, handbook } = both;
    const calls: (readonly string[])[] = [];
    for (const side of [service, handbook]) await told(side, body("sale"));
    for (const [what, text] of [["first purchase", saleBy("new@example.com")], ["known buyer's next",
      saleBy("new@example.com", { sale_id: "another" })], ["the same ping again",
      saleBy("new@example.com", { sale_id: "another" })]] as const) {
      // A buyer of each side's own: the tenant is one.
      const ours = await told(service, text);
      const theirs = await told(handbook, text.replace("new%40", "other%40"));
      calls.push([what, `${String(ours.management)} + ${String(ours.token)}`,
        `${String(theirs.management)} + ${String(theirs.token)}`]);
    }
    const measured = (): Record<"warm" | "cold", number[]> => ({ warm: [], cold: [] });
    const ms = { service: measured(), handbook: measured() };
    for (let nth = 0; nth < warm; nth += 1) {
      for (const name of ["service", "handbook"] as const) {
        const answer = await both[name].post(saleBy(`${name}${String(nth)}@example.com`));
        ms[name].warm.push(answer.ms);
        await both[name].settled();
      }
    }
    for (let nth = 0; nth < cold; nth += 1) {
      for (const name of ["service", "handbook"] as const) {
        await both[name].cool();
        ms[name].cold.push((await both[name].post(saleBy(`cold-${name}${String(nth)}@example.com`))).ms);
        await both[name].settled();
      }
    }
    const rows = (["warm", "cold"] as const).flatMap((how) =>
      [0.5, 0.99].map((part) => {
        const [ours, theirs] = [quantile(inOrder(ms.service[how]), part), quantile(inOrder(ms.handbook[how]), part)];
        return [`${how}, p${String(part * 100)} of ${String(how === "warm" ? warm : cold)}`, brief(ours, "ms"),
          brief(theirs, "ms"), times(ours, theirs)];
      })
    );
    return [{ title: "Calls of Auth0 a ping: Management API + tokens", columns: ["ping", "service", "handbook"],
      rows: calls }, { title: `Time to answer a ping (a call of Auth0 takes ${String(LATENCY_MS)} ms)`,
      columns: ["start", "service", "handbook", "service / handbook"], rows }];
  } finally {
    await both.stop();
  }
}

async function told(side: Side, text: string) {
  const before = side.calls();
  await side.post(text);
  await side.settled();
  const after = side.calls();
  return { management: after.management - before.management, token: after.token - before.token };
}

/** A real burst before the limits of Auth0's Enterprise plan: everything over HTTP, the clock the machine's. */
export async function realBurst(buyers: number): Promise<Table> {
  const rows: (readonly string[])[] = [];
  for (const name of ["service", "handbook"] as const) {
    const both = await startBothWays(LATENCY_MS);
    try {
      // Both warm; then a full bucket.
      await told(both[name], body("sale"));
      both.stack.auth0.setLimits("enterprise");
      const from = both.stack.auth0.calls.length;
      const began = performance.now();
      const emails = Array.from({ length: buyers }, (_, nth) => `burst${String(nth)}@example.com`);
      const posted = await Promise.all(emails.map((email) => both[name].post(saleBy(email))));
      await both[name].settled();
      const seconds = (performance.now() - began) / 1_000;
      const calls = both.stack.auth0.calls.slice(from).filter(({ api }) => api === "management");
      const refused = calls.filter(({ status }) => status === 429).length;
      const have = emails.filter((email) => both.stack.auth0.rolesOfEmail(email).length > 0).length;
      rows.push([name, `${String(posted.filter(({ status, ms }) => status === 200 && ms <= 5_000).length)}`,
        String(have), brief(seconds, "s"), String(calls.length - refused), String(refused)]);
    } finally {
      await both.stop();
    }
  }
  return { title: `A burst of ${String(buyers)}, real time, Enterprise limits; each ping sent once`,
    columns: ["way", "answered within 5 s", "have the role", "until the last", "calls served", "refused"], rows };
}
