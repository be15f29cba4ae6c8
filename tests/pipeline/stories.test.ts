import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import * as z from "zod";

import { parseForm, textOf } from "../../src/gumroad/form.ts";
import { isTestPing, readPing } from "../../src/gumroad/ping.ts";
import { seed } from "../properties/arbitraries.ts";
import { body, deliver, post, startLocal } from "./local-stack.ts";

const manifest = z
  .strictObject({
    about: z.string(),
    bodies: z.record(z.string(), z.strictObject({ event: z.string(), buyer: z.email(), covers: z.string().min(10) })),
    stories: z.array(z.strictObject({ name: z.string(), pings: z.array(z.string()).min(1), roles: z.record(z.email(), z.array(z.string())) })),
  })
  .parse(JSON.parse(readFileSync("fixtures/manifest.json", "utf8")));

describe("the manifest", () => {
  it("lists every wire body, and no other", () => {
    expect(Object.keys(manifest.bodies).sort()).toEqual(readdirSync("fixtures/pings").sort());
  });

  it.each(Object.entries(manifest.bodies))("tells what is in %s", (file, { event, buyer }) => {
    const form = parseForm(body(file));
    expect(isTestPing(form) ? "test" : readPing(form).event).toBe(event);
    expect(textOf(form, "email") ?? textOf(form, "user_email")).toBe(buyer);
  });

  it("tells a story with every body", () => {
    expect([...new Set(manifest.stories.flatMap(({ pings }) => pings))].sort()).toEqual(Object.keys(manifest.bodies).sort());
  });
});

describe(`a story (seed ${String(seed)})`, () => {
  it.each(manifest.stories)("ends with its roles: $name", async ({ pings, roles }) => {
    const stack = await startLocal();
    try {
      await deliver(stack, ...pings.map(body));
      for (const [email, expected] of Object.entries(roles)) expect({ [email]: stack.auth0.rolesOfEmail(email) }).toEqual({ [email]: expected });
      expect(await stack.sqs.deadLetters()).toEqual([]);
      expect(stack.auth0.failures).toEqual([]);
    } finally {
      await stack.stop();
    }
  });

  const long = manifest.stories.filter(({ pings }) => pings.length > 1);
  it.each(long)("ends the same in another order, and all at once: $name", async ({ pings, roles }) => {
    const [shuffled = []] = fc.sample(fc.shuffledSubarray(pings, { minLength: pings.length }), { seed, numRuns: 1 });
    const stack = await startLocal();
    try {
      const answers = await Promise.all([...shuffled.toReversed(), ...shuffled].map((file) => post(stack, body(file))));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      await stack.sqs.idle();
      for (const [email, expected] of Object.entries(roles)) expect({ [email]: stack.auth0.rolesOfEmail(email) }).toEqual({ [email]: expected });
      expect(stack.auth0.users().length).toBeLessThanOrEqual(1);
      expect(await stack.sqs.deadLetters()).toEqual([]);
    } finally {
      await stack.stop();
    }
  });
});
