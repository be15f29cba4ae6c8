import { body, saleBy } from "../tests/pipeline/local-stack.ts";
import { type BothWays, startBothWays } from "./both-ways.ts";
import { brief, inOrder, type Pair, quantile, standing, type Table, times } from "./figures.ts";

/** A call of Auth0's takes so long here (ms). */
export const LATENCY_MS = 100;

type Side = BothWays["service"];

/** Calls a ping, and how long Gumroad waits for the answer. */
export async function answers({ warm, cold }: { readonly warm: number; readonly cold: number }): Promise<Table[]> {
  const both = await startBothWays(LATENCY_MS);
  try {
    const { service, handbook } = both;
    const calls: (readonly string[])[] = [];
    const called: Pair[] = [];
    for (const side of [service, handbook]) await told(side, body("sale"));
    for (const [what, text] of [["first purchase", saleBy("new@example.com")], ["known buyer's next",
      saleBy("new@example.com", { sale_id: "another" })], ["the same ping again",
      saleBy("new@example.com", { sale_id: "another" })]] as const) {
      // A buyer of each side's own: the tenant is one.
      const ours = await told(service, text);
      const theirs = await told(handbook, text.replace("new%40", "other%40"));
      calls.push([what, `${String(ours.management)} + ${String(ours.token)}`,
        `${String(theirs.management)} + ${String(theirs.token)}`, times(sum(ours), sum(theirs))]);
      called.push({ what, ours: sum(ours), theirs: sum(theirs), better: "less" });
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
    const waited = (["warm", "cold"] as const).flatMap((how) =>
      [0.5, 0.99].map((part): Pair => ({ what: `${how}, p${String(part * 100)} of ${String(ms.service[how].length)}`,
        ours: quantile(inOrder(ms.service[how]), part), theirs: quantile(inOrder(ms.handbook[how]), part),
        better: "less" })
      )
    );
    const asRead = standing(called);
    const asWaited = standing(waited);
    return [{ title: "Calls of Auth0 a ping: Management API + tokens",
      columns: ["ping", "service", "handbook", "service / handbook"], rows: calls, ...asRead,
      notes: [...asRead.notes,
        "Each client of the SDK fetches a token of its own: one more call to wait for. Here one token serves a " +
        "process for as long as it is good, and what is known already costs no call: the ledger says that the role " +
        "is there."] }, { title: `Time to answer a ping (a call of Auth0 takes ${String(LATENCY_MS)} ms)`,
      columns: ["start", "service", "handbook", "service / handbook"],
      rows: waited.map((
        { what, ours, theirs },
      ) => [what, brief(ours, "ms"), brief(theirs, "ms"), times(ours, theirs)]), ...asWaited,
      notes: [...asWaited.notes,
        "`ping` only puts the message into the queue; the handbook's answer waits for five calls of Auth0's. Its " +
        "buyer has the role when it answers, ours some moments later: see *From a sale to its role*."] }];
  } finally {
    await both.stop();
  }
}

type Calls = Awaited<ReturnType<typeof told>>;

const sum = ({ management, token }: Calls): number => management + token;

async function told(side: Side, text: string) {
  const before = side.calls();
  await side.post(text);
  await side.settled();
  const after = side.calls();
  return { management: after.management - before.management, token: after.token - before.token };
}

/** A real burst before the limits of Auth0's Enterprise plan: everything over HTTP, the clock the machine's. */
export async function realBurst(buyers: number): Promise<Table> {
  const ours = await burstOf("service", buyers);
  const theirs = await burstOf("handbook", buyers);
  const columns = [["answered within 5 s", "more"], ["have the role", "more"], ["calls served", "less"], ["refused",
    "less"]] as const;
  const pairs = columns.map(([what, better]): Pair => ({ what, ours: ours[what], theirs: theirs[what], better,
    why: what !== "calls served" || theirs["have the role"] >= buyers
      ? undefined
      : `it stops calling for ${String(buyers - theirs["have the role"])} of ${String(buyers)}, who get nothing` })
  );
  const { notes, unexplained } = standing([...pairs, { what: "seconds a role", better: "less",
    ours: ours.seconds / ours["have the role"], theirs: theirs.seconds / theirs["have the role"],
    why: "its 16 functions keep the limit filled by being refused; ours begins with single calls, and lets the " +
      "limit's last few calls be" }]);
  const row = (way: string,
    made: typeof ours) => [way, ...columns.map(([what]) => String(made[what])), brief(made.seconds, "s"),
    brief(made.seconds / made["have the role"], "s")];
  return { title: `A burst of ${String(buyers)}, real time, Enterprise limits; each ping sent once`,
    columns: ["way", ...columns.map(([what]) => what), "until the last", "a role"],
    rows: [row("service", ours), row("handbook", theirs), ["service / handbook",
      ...pairs.map((pair) => times(pair.ours, pair.theirs)), times(ours.seconds, theirs.seconds),
      times(ours.seconds / ours["have the role"], theirs.seconds / theirs["have the role"])]], unexplained,
    notes: [...notes,
      "Of the handbook's functions 16 run at once here, which slows it down before the limit does: " +
      "AWS gives an account 1,000. The simulated bursts have those."] };
}

async function burstOf(name: "service" | "handbook", buyers: number) {
  const both = await startBothWays(LATENCY_MS);
  try {
    // Warm; then a full bucket.
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
    return { seconds, refused, "calls served": calls.length - refused,
      "answered within 5 s": posted.filter(({ status, ms }) => status === 200 && ms <= 5_000).length,
      "have the role": emails.filter((email) => both.stack.auth0.rolesOfEmail(email).length > 0).length };
  } finally {
    await both.stop();
  }
}
