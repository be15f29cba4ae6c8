import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import type { Stack } from "../../local/stack.ts";
import { post, startLocal, TEST_BUNDLES } from "../pipeline/local-stack.ts";
import { seed } from "../properties/arbitraries.ts";
import { assault } from "./assault.ts";
import { ROUTES } from "./requests.ts";

describe(`5,000 hostile requests (seed ${String(seed)})`, () => {
  it("meet no 5xx without a fault, are never repeated, forge no line, and cost no more than others do", async () => {
    const { cases, answers, faults } = await assault({ bundlesDir: TEST_BUNDLES, cases: 5_000, seed,
      say: () => undefined });
    expect(cases).toBe(5_000);
    // Some 35, as the seed falls.
    expect(faults).toBeGreaterThan(5);
    const reached = (status: string) =>
      [...answers.keys()].filter((key) => key.endsWith(status)).map((key) => key.slice(0, -4));
    expect(new Set([...answers.keys()].map((key) => key.slice(0, -4)))).toEqual(new Set(Object.keys(ROUTES)));
    // Some get past the door of each route but `private` with a role, which nobody has.
    expect(reached(" 200")).toEqual(
      expect.arrayContaining(["POST /ping", "POST /ping/{token+}", "POST /login", "POST /verify", "GET /private",
        "GET /claim", "POST /bind"]),
    );
  });
});

describe("a ping four times as long", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startLocal();
  });
  afterAll(async () => {
    await stack.stop();
  });

  /** So often it is measured again where something else may have held the machine up. */
  const MOST_ROUNDS = 30;

  /** In ms. */
  async function took(body: string): Promise<number> {
    const began = performance.now();
    expect((await post(stack, body)).status).toBeLessThan(500);
    return performance.now() - began;
  }

  it.each(["a", "a[", "a=b&", "a[]=&", "%", "%5B", "=", "[a]", "variants[a]=b&", "custom_fields[a]=&", "a@", "(", "é",
    "\\"])("of %s takes no more than in proportion", async (unit) => {
      // What grew with the square would take sixteen times as long; what is over at once says nothing.
      let [short, long] = [Infinity, Infinity];
      for (let round = 0; round < 2 || (round < MOST_ROUNDS && long >= 20 && long / short >= 10); round += 1) {
        short = Math.min(short, await took(unit.repeat(60_000 / unit.length)));
        long = Math.min(long, await took(unit.repeat(240_000 / unit.length)));
      }
      expect(long < 20 || long / short < 10).toBe(true);
    });
});
