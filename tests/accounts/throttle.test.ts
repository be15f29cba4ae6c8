import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { ScanCommand } from "@aws-sdk/client-dynamodb";

import { clientAddress } from "../../src/accounts/client-address.ts";
import { TooManyAttempts } from "../../src/accounts/errors.ts";
import { createThrottle, throttleRules, type Throttle } from "../../src/accounts/throttle.ts";
import { accountsTable } from "../../src/accounts/users.ts";
import { Clock, type LocalTable, localTable } from "./accounts-stage.ts";
import { guessesWithin } from "./guesses.ts";

const day = 86_400;

let table: LocalTable;
let clock: Clock;
let throttle: Throttle;
/** A user of this test alone. */
let ann: string;
let tests = 0;

beforeAll(async () => {
  table = await localTable();
});
afterAll(() => table.close());
beforeEach(() => {
  tests += 1;
  ann = `ann ${String(tests)}`;
  clock = new Clock();
  throttle = createThrottle({ table: accountsTable(table.client, table.name), now: clock.now });
});

/** With fewer free attempts for a network, so that a test need not make a hundred. */
const network = { ...throttleRules.network, free: 10 };

function withSmallNetworks(): void {
  throttle = createThrottle({ table: accountsTable(table.client, table.name), now: clock.now,
    rules: { ...throttleRules, network } });
}

/** An address of its own network for each number, and of this test alone. */
const from = (number: number): string => `10.${String(tests * 4 + (number >> 8))}.${String(number & 255)}.9`;

const admit = (username: string, sourceIp: string): ReturnType<Throttle["admit"]> =>
  throttle.admit({ username, address: clientAddress(sourceIp) });

/** The seconds to wait, or 0 if admitted. */
async function attempt(username: string, sourceIp: string): Promise<number> {
  try {
    await admit(username, sourceIp);
    return 0;
  } catch (error) {
    if (error instanceof TooManyAttempts) return Number(error.headers["Retry-After"]);
    throw error;
  }
}

async function admitted(attempts: Promise<number>[]): Promise<number> {
  return (await Promise.all(attempts)).filter((wait) => wait === 0).length;
}

describe("the throttle", () => {
  it("lets one address guess a few times at one user, then makes it wait, longer each time", async () => {
    const waits: number[] = [];
    for (let guess = 1; guess <= throttleRules.userAndNetwork.free + 3; guess += 1) {
      expect(await attempt(ann, from(1))).toBe(0);
      const wait = await attempt(ann, from(1));
      if (wait === 0) continue;
      waits.push(wait);
      clock.forward(wait);
    }
    expect(waits.slice(0, 3)).toEqual([2, 4, 8]);
  });

  it("counts a whole /24 as one address, and a whole /64", async () => {
    for (let host = 1; host <= throttleRules.userAndNetwork.free; host += 1) {
      expect(await attempt(ann, `10.${String(tests * 4)}.200.${String(host)}`)).toBe(0);
      expect(await attempt("carol", `2001:db8::${String(host)}`)).toBe(0);
    }
    expect(await attempt(ann, `10.${String(tests * 4)}.200.99`)).toBeGreaterThan(0);
    expect(await attempt("carol", "2001:db8::99")).toBeGreaterThan(0);
  });

  it("counts many at once one by one: never more pass than are free", async () => {
    const guesses = Array.from({ length: 25 }, () => attempt(ann, from(1)));

    expect(await admitted(guesses)).toBe(throttleRules.userAndNetwork.free);
  });

  it("stops guesses at one user from many addresses at once; the user at their own gets through", async () => {
    await (await admit(ann, from(0))).succeeded("login");

    const passed = await admitted(Array.from({ length: 50 }, (_, index) => attempt(ann, from(1 + index))));

    expect(passed).toBeLessThanOrEqual(throttleRules.user.free);
    expect(await attempt(ann, from(2_000))).toBeGreaterThan(0);
    await (await admit(ann, from(0))).succeeded("login");
    expect(await attempt(ann, from(0))).toBe(0);
  });

  it("admits the guesses a day that docs/security.md states, and no more, from however many addresses", async () => {
    let guesses = 0;
    let address = 0;
    const end = clock.time + day * 1_000;
    while (clock.time < end) {
      address += 1;
      const wait = await attempt(ann, from(address));
      if (wait === 0) guesses += 1;
      clock.forward(wait);
    }
    expect(guesses).toBe(guessesWithin(throttleRules.user, day));
    expect(guesses).toBe(76);
  });

  it("does not let neighbours in the user's own /24 lock them out", async () => {
    const [own, neighbour] = [`10.${String(tests * 4)}.7.1`, `10.${String(tests * 4)}.7.2`];
    await (await admit(ann, own)).succeeded("login");

    for (let guess = 1; guess <= 20; guess += 1) await attempt(ann, neighbour);

    expect(await attempt(ann, neighbour)).toBeGreaterThan(0);
    expect(await attempt(ann, own)).toBe(0);
  });

  it("does not let guesses at others from the user's network lock them out", async () => {
    withSmallNetworks();
    await (await admit(ann, from(1))).succeeded("login");

    for (let guess = 0; guess < network.free + 5; guess += 1) await attempt(`${ann}, other ${String(guess)}`, from(1));

    expect(await attempt(`${ann}, one more`, from(1))).toBeGreaterThan(0);
    expect(await attempt(ann, from(1))).toBe(0);
  });

  it("brakes guessing on a known address, too", async () => {
    await (await admit(ann, from(1))).succeeded("login");

    for (let guess = 1; guess <= throttleRules.knownAddress.free; guess += 1) {
      expect(await attempt(ann, from(1))).toBe(0);
    }

    expect(await attempt(ann, from(1))).toBe(throttleRules.knownAddress.firstDelaySeconds);
    expect(await admitted(Array.from({ length: 20 }, () => attempt(ann, from(1))))).toBe(0);
  });

  it("starts over on a known address once the user logs in there", async () => {
    await (await admit(ann, from(1))).succeeded("login");
    for (let guess = 1; guess < throttleRules.knownAddress.free; guess += 1) await admit(ann, from(1));

    await (await admit(ann, from(1))).succeeded("login");

    for (let guess = 1; guess <= throttleRules.knownAddress.free; guess += 1) {
      expect(await attempt(ann, from(1))).toBe(0);
    }
  });

  it("forgets an address that was not used for 90 days, also while DynamoDB still shows it", async () => {
    await (await admit(ann, from(1))).succeeded("login");
    clock.forward(throttleRules.rememberAddressSeconds + 1);

    for (let guess = 1; guess <= throttleRules.userAndNetwork.free; guess += 1) {
      expect(await attempt(ann, from(1))).toBe(0);
    }

    expect(await attempt(ann, from(1))).toBe(throttleRules.userAndNetwork.firstDelaySeconds);
  });

  it("counts a class that logs in at once without making anybody try again", async () => {
    throttle = createThrottle({ table: accountsTable(table.client, table.name), now: clock.now,
      rules: { ...throttleRules, network: { ...network, free: 40 } } });
    const pupils = Array.from({ length: 40 }, (_, pupil) => attempt(`${ann}, pupil ${String(pupil)}`, from(1)));

    expect(await admitted(pupils)).toBe(40);
    expect(await attempt(`${ann}, one too many`, from(1))).toBeGreaterThan(0);
  });

  it("does not let a school's logins add up, but lets its sign-ups", async () => {
    withSmallNetworks();
    for (let pupil = 0; pupil < network.free + 2; pupil += 1) {
      await (await admit(`${ann}, pupil ${String(pupil)}`, from(1))).succeeded("login");
    }
    for (let pupil = 0; pupil < network.free; pupil += 1) {
      await (await admit(`${ann}, new ${String(pupil)}`, from(1))).succeeded("sign-up");
    }
    expect(await attempt(`${ann}, one too many`, from(1))).toBeGreaterThan(0);
  });

  it("does not write a thing for what it refuses", async () => {
    for (let guess = 1; guess <= throttleRules.userAndNetwork.free; guess += 1) await attempt(ann, from(1));
    const before = await everything();

    for (let guess = 1; guess <= 10; guess += 1) expect(await attempt(ann, from(1))).toBeGreaterThan(0);

    expect(await everything()).toEqual(before);
  });

  it("gives every counter a time to live, in seconds", async () => {
    await (await admit(ann, from(1))).succeeded("login");
    await attempt(ann, from(2));

    const now = clock.time / 1_000;
    const times = (await everything()).filter(({ pk }) => pk?.S?.includes(ann)).map(({ expiresAt }) =>
      Number(expiresAt?.N)
    );
    expect(
      times.every((time) =>
        Number.isInteger(time) && time > now && time <= now + throttleRules.rememberAddressSeconds
      ),
    ).toBe(true);
    expect(times.length).toBeGreaterThan(2);
  });
});

async function everything() {
  const { Items = [] } = await table.client.send(new ScanCommand({ TableName: table.name }));
  return Items;
}
