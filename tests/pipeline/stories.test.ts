import { readdirSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import { readManifest } from "../../cli/replay/rows.ts";
import type { Stack } from "../../local/stack.ts";
import { parseForm, textOf } from "../../src/gumroad/form.ts";
import { isTestPing, readPing } from "../../src/gumroad/ping.ts";
import { seed } from "../properties/arbitraries.ts";
import { calls as budgets, COUNTED } from "../budgets/story-calls.ts";
import { body, deliver, post, startLocal } from "./local-stack.ts";

const manifest = readManifest();

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
    expect([...new Set(manifest.stories.flatMap(({ pings }) => pings))].sort()).toEqual(
      Object.keys(manifest.bodies).sort(),
    );
  });
});

describe(`a story (seed ${String(seed)})`, () => {
  let stack: Stack;
  const made: string[] = [];
  beforeAll(async () => {
    const askedAt = new Map<string, number>();
    stack = await startLocal({ onCall: ({ service, phase, body: asked }) => {
      if (phase === "after") return "go";
      // A secret without a value is asked for again after ten seconds, in whatever story that is on a slow machine.
      const [what, now] = [`${service} ${String(asked)}`, performance.now()];
      const isTime = service === "secretsmanager" && now - (askedAt.get(what) ?? now) >= 9_000;
      askedAt.set(what, now);
      if (!isTime) made.push(service);
      return "go";
    } });
    // What a process does once, the token and the roles among it, is no story's.
    await deliver(stack, body("sale"));
  });
  afterAll(async () => {
    await stack.stop();
  });

  it.each(manifest.stories.map((story, index) => ({ ...story, index })))("ends with its roles: $name",
    async ({ name, pings, roles, index }) => {
      made.length = 0;
      // One by one: how many would share a batch hangs on the machine.
      for (const file of pings) await deliver(stack, ofStory(index, body(file)));
      const counts = COUNTED.map((service) => made.filter((each) => each === service).length);
      const over = counts.map((count, at) => Math.max(count, budgets[name]?.[at] ?? 0));
      expect({ name, calls: over }).toEqual({ name, calls: budgets[name] });
      expect(rolesIn(stack, index, roles)).toEqual(roles);
      expect(await stack.sqs.deadLetters()).toEqual([]);
      expect(stack.auth0.failures).toEqual([]);
    });

  it("ends the same when all are told at once, each ping twice and in any order", async () => {
    const first = manifest.stories.length;
    const told = manifest.stories.flatMap(({ pings }, story) =>
      [...pings, ...pings].map((file) => ofStory(first + story, body(file)))
    );
    const [shuffled = []] = fc.sample(fc.shuffledSubarray(told, { minLength: told.length }), { seed, numRuns: 1 });
    const answers = await Promise.all(shuffled.map((text) => post(stack, text)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    await stack.sqs.idle();
    manifest.stories.forEach(({ name, roles }, story) => {
      expect({ name, roles: rolesIn(stack, first + story, roles) }).toEqual({ name, roles });
    });
    const emails = stack.auth0.users().map(({ email }) => email);
    expect(new Set(emails).size).toBe(emails.length);
    expect(await stack.sqs.deadLetters()).toEqual([]);
    expect(stack.auth0.failures).toEqual([]);
  });
});

/** A body with buyers and ids of its own, so that many stories can be told to one stack. */
function ofStory(story: number, text: string): string {
  return text.replace(/(^|&)(email|user_email|gifter_email)=/g, `$1$2=story${String(story)}.`).replace(
    /(^|&)(sale_id|subscription_id)=/g,
    `$1$2=${String(story)}-`,
  );
}

/** The roles of a story's people, by the emails that the manifest gives them. */
function rolesIn(stack: Stack, story: number, people: Readonly<Record<string, readonly string[]>>) {
  return Object.fromEntries(
    Object.keys(people).map((email) => [email, stack.auth0.rolesOfEmail(`story${String(story)}.${email}`)]),
  );
}
