import { privateCall } from "../src/accounts/authorize.ts";
import { createPasswords } from "../src/accounts/password.ts";
import { createTokens } from "../src/accounts/tokens.ts";
import { lessons } from "../src/lessons.ts";
import { newAccountsSecret } from "../scripts/new-accounts-secret.ts";
import { context, httpEvent } from "../tests/accounts/http-events.ts";
import { alone, brief, inOrder, quantile, type Table } from "./figures.ts";

/** The self-built login's two costs: a token that is checked, and a password that is hashed. */
export async function accounts(rounds: number): Promise<Table> {
  const secret = await newAccountsSecret();
  const source = { get: async () => Promise.resolve(secret), reread: async () => Promise.resolve(secret) };
  const tokens = createTokens({ secret: source, issuer: "https://bench.example/", audience: "bench",
    lifetimeSeconds: 3_600 });
  const [role = ""] = lessons.keys();
  const token = await tokens.issue({ subject: "ann", roles: [role], loggedInAt: Math.floor(Date.now() / 1_000),
    remember: false });
  const call = privateCall(tokens.verify, lessons);
  const event = httpEvent({ headers: { authorization: `Bearer ${token}` }, pathParameters: { role } });
  const passwords = createPasswords({ secret: source });
  const rows = [
    ["private: a token checked, a lesson given", await median(rounds, () => call(event, context)), "µs"],
    ["login: a password hashed (argon2id, 19 MB, 2 passes)",
      await median(Math.ceil(rounds / 50), () => passwords.hash("correct horse battery staple")), "ms"],
  ] as const;
  return { title: "The self-built login (medians)", columns: ["what", "time"],
    ...alone("`bench/handbook.ts` gives roles and leaves logging in to Auth0."),
    rows: rows.map(([what, ms, unit]) => [what, unit === "µs" ? brief(ms * 1_000, unit) : brief(ms, unit)]) };
}

async function median(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const ms: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await work();
    ms.push(performance.now() - began);
  }
  return quantile(inOrder(ms), 0.5);
}
