import { afterEach, describe, expect, it } from "@jest/globals";
import type { Chaos } from "gumroad-emulator/post-office";
import type { Stack } from "../../local/stack.ts";
import { seed } from "../properties/arbitraries.ts";
import { rolesByTheBooks } from "../properties/shop-truth.ts";
import { lateMail, type LateMail } from "./late-mail.ts";
import { managementCalls, startLocal } from "./local-stack.ts";
import { buyerEmail, letLive, randomFrom, randomShopProducts } from "./random-shop.ts";
import { reconcile, waitsOver, workOff } from "./working-off.ts";

const DAY = 86_400_000;
/** When every history begins: the same seed makes the same days. */
const OPENING = Date.parse("2030-01-07T12:00:00Z");
const RELEASE = OPENING + 30 * DAY;
const LONGEST_DELAY = 10 * DAY;
/** The mail comes once in so many moments of the shop. */
const MOMENTS_A_POST = 6;
/** The functions' logs are of no use here, and cost time. */
const QUIET = Object.fromEntries(
  ["ping", "provision", "reconcile"].map((key) => [key, { LOG_LEVEL: "SILENT", POWERTOOLS_METRICS_DISABLED: "true" }]),
);

interface History {
  readonly stack: Stack;
  /** Management calls that the roles of the books ask for. */
  readonly needed: () => number;
}

let stack: Stack | undefined;
afterEach(async () => {
  await stack?.stop();
  stack = undefined;
});

/**
 * Lets a shop live, whose pings all come late and in any order, some twice and some never, until all that came is
 * worked off. `people` are users who have roles from somebody else.
 */
async function history(
  { purchases, buyers, lose, readBack, people }: { purchases: number; buyers: number; lose: number; readBack: boolean;
    people: ReadonlyMap<string, readonly string[]> },
): Promise<History> {
  const mail: LateMail = lateMail(() => started.gumroad, randomFrom(seed, "mail"));
  const started = await startLocal({
    readBack,
    // One worker a function is enough: each new one has to warm up.
    maxWorkers: 1,
    environment: QUIET,
    gumroad: { idSeed: String(seed), products: randomShopProducts(RELEASE), deliver: mail.deliver },
  });
  stack = started;
  for (const [email, roles] of people) started.auth0.addUser({ email, verified: true, roles });
  const { gumroad } = started;
  await started.advance(OPENING - gumroad.now());

  const chaos: Chaos = { random: randomFrom(seed, "chaos"), lose, duplicate: 0.2, delay: 1,
    longestDelayMs: LONGEST_DELAY };
  gumroad.setChaos(chaos);
  const bring = async () => {
    expect(await mail.bring()).toEqual([]);
    await workOff(started);
    count.look(rolesByTheBooks(gumroad));
  };
  const count = neededCalls();
  let moments = 0;
  await letLive(gumroad, {
    random: randomFrom(seed, "shop"),
    buyers,
    purchases,
    silent: readBack,
    // Gumroad's API shows no change of plan that nothing was charged for, and lists no test purchase: once such a
    // ping is lost, nobody can know of it.
    unlost: (act) => {
      gumroad.setChaos({ ...chaos, lose: 0 });
      try {
        act();
      } finally {
        gumroad.setChaos(chaos);
      }
    },
  }, async (ms) => {
    await started.advance(ms);
    moments += 1;
    if (moments % MOMENTS_A_POST === 0) await bring();
  });
  await started.advance(LONGEST_DELAY);
  await bring();
  await waitsOver(started);
  return { stack: started, needed: count.calls };
}

/**
 * The fewest Management calls for what buyers should have each time the mail has come: for the first roles that
 * somebody gets a look-up of their user, its creation or a list of the roles it has, and a call that assigns; later
 * one call to assign more and one to remove some.
 */
function neededCalls() {
  const had = new Map<string, readonly string[]>();
  let calls = 0;
  return { look: (roles: ReadonlyMap<string, readonly string[]>) => {
    for (const [email, now] of roles) {
      const before = had.get(email);
      if (before === undefined && now.length === 0) continue;
      if (before === undefined) calls += 2;
      if (now.some((role) => before?.includes(role) !== true)) calls += 1;
      if (before?.some((role) => !now.includes(role)) === true) calls += 1;
      had.set(email, now);
    }
  }, calls: () => calls };
}

/**
 * Each user's roles against the books, and those they had from somebody else; users who should be there, and nobody
 * twice.
 */
function expectNoWrongRole({ auth0, gumroad }: Stack, people: ReadonlyMap<string, readonly string[]>): void {
  const should = new Map(
    [...rolesByTheBooks(gumroad)].map((
      [email, roles],
    ) => [email, [...new Set([...roles, ...(people.get(email) ?? [])])].sort()]),
  );
  const users = auth0.users().map(({ email = "", roles }) => ({ email, roles }));
  expect(
    users.filter(({ email, roles }) => roles.join() !== (should.get(email) ?? people.get(email) ?? []).join()).map((
      user,
    ) => ({ ...user, should: should.get(user.email) })),
  ).toEqual([]);
  const there = new Set(users.map(({ email }) => email));
  expect([...should].filter(([email, roles]) => roles.length > 0 && !there.has(email))).toEqual([]);
  expect(users).toHaveLength(there.size);
}

describe(`a random history (seed ${String(seed)})`, () => {
  it(
    "ends with 0 wrong roles after 1,000 purchases with a fifth of the pings lost, a fifth doubled and all " +
      "reordered, once reconcile has run",
    async () => {
      const people = new Map([
        [buyerEmail(0), ["staff"]],
        // By somebody's hand, before it was bought: it stays whatever becomes of the purchase.
        [buyerEmail(1), ["club", "serverless-handbook"]],
        [buyerEmail(2), ["masterclass", "staff"]],
        ["nobody@example.com", ["staff"]],
      ]);
      const { stack: running, needed } = await history({ purchases: 1_000, buyers: 150, lose: 0.2, readBack: true,
        people });
      await reconcile(running);
      await waitsOver(running);
      await reconcile(running);

      const { posts, sales, calls } = running.gumroad;
      const lost = posts.filter(({ outcome }) => outcome === "lost").length;
      process.stdout.write(
        `A history of ${String(sales.length)} purchases, seed ${String(seed)}: ${
          String(posts.length)
        } pings, of which ${String(lost)} were lost. ` +
          `Auth0 calls made: ${String(managementCalls(running).length)}, needed: ${String(needed())}. Gumroad calls: ${
            String(calls.length)
          }.\n`,
      );
      expectNoWrongRole(running, people);
      expect(await running.sqs.deadLetters()).toEqual([]);
      expect(running.auth0.failures).toEqual([]);
    },
  );

  it("ends with 0 wrong roles without a token of Gumroad's, where no ping is lost", async () => {
    const { stack: running } = await history({ purchases: 50, buyers: 20, lose: 0, readBack: false,
      people: new Map() });
    await reconcile(running);
    expectNoWrongRole(running, new Map());
    expect(running.gumroad.calls).toEqual([]);
    expect(await running.sqs.deadLetters()).toEqual([]);
    expect(running.auth0.failures).toEqual([]);
  });
});
