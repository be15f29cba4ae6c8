import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import * as z from "zod/mini";

import { optionalSecret, secretOf, type Secret } from "../../src/config/secret.ts";
import { startSecretsEmulator, type SecretsEmulator } from "../../local/aws/secrets.ts";

const ID = "gumroad-auth0/test/ping";
let manager: SecretsEmulator;
let clock: number;
/** Calls to Secrets Manager in this test. */
let calls: number;
let secret: Secret<{ key: string }>;

beforeAll(async () => {
  manager = await startSecretsEmulator({});
});
afterAll(async () => {
  await manager.stop();
});
beforeEach(() => {
  clock = 0;
  calls = 0;
  manager.set(ID, '{"key":"one"}');
  secret = read(ID, manager.url);
});

function read(id: string, endpoint: string) {
  const client = new SecretsManagerClient({ endpoint, region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 });
  client.middlewareStack.add((next) => (call) => {
    calls += 1;
    return next(call);
  });
  return secretOf({ client, id, shape: z.object({ key: z.string() }), now: () => clock });
}

describe("a secret", () => {
  it("is read once and kept for five minutes", async () => {
    expect(await secret.get()).toEqual({ key: "one" });
    manager.set(ID, '{"key":"two"}');
    clock = 5 * 60_000 - 1;
    expect(await secret.get()).toEqual({ key: "one" });
    clock += 1;
    expect(await secret.get()).toEqual({ key: "two" });
  });

  it("is read again on demand, at most every ten seconds", async () => {
    await secret.get();
    manager.set(ID, '{"key":"two"}');
    clock = 9_999;
    expect(await secret.reread()).toEqual({ key: "one" });
    clock = 10_000;
    expect(await secret.reread()).toEqual({ key: "two" });
    expect(await secret.get()).toEqual({ key: "two" });
  });

  it("that can't be reached any more is used as last read for an hour, but never to refuse on", async () => {
    const gone = await startSecretsEmulator({ [ID]: '{"key":"one"}' });
    const known = read(ID, gone.url);
    await known.get();
    await gone.stop();
    clock = 60 * 60_000 - 1;
    expect(await known.get()).toEqual({ key: "one" });
    clock += 10_000;
    await expect(known.get()).rejects.toMatchObject({ code: "SECRET_UNREACHABLE" });
    await expect(known.reread()).rejects.toMatchObject({ name: "TemporaryError", code: "SECRET_UNREACHABLE" });
    await expect(read(ID, gone.url).get()).rejects.toMatchObject({ code: "SECRET_UNREACHABLE" });
  });

  it("that was broken by an edit is used as last read, and read again after ten seconds", async () => {
    await secret.get();
    manager.set(ID, "{oops");
    clock = 5 * 60_000;
    expect(await secret.get()).toEqual({ key: "one" });
    manager.set(ID, '{"key":"two"}');
    clock += 9_999;
    expect(await secret.get()).toEqual({ key: "one" });
    clock += 1;
    expect(await secret.get()).toEqual({ key: "two" });
  });

  it.each([["missing", undefined, "SECRET_MISSING"], ["broken", "{oops", "SECRET_INVALID"]])(
    "that is %s is asked for once in ten seconds, however many requests there are",
    async (_what, value, code) => {
      manager.set(ID, value);
      for (let request = 0; request < 50; request += 1) {
        await expect(secret.get()).rejects.toMatchObject({ code });
        await expect(secret.reread()).rejects.toMatchObject({ code });
      }
      expect(calls).toBe(1);
      manager.set(ID, '{"key":"two"}');
      clock = 10_000;
      expect(await secret.get()).toEqual({ key: "two" });
    },
  );

  it("that was broken by an edit is asked for once in ten seconds by those who were refused, too", async () => {
    await secret.get();
    manager.set(ID, "{oops");
    clock = 10_000;
    for (let request = 0; request < 50; request += 1) {
      await expect(secret.reread()).rejects.toMatchObject({ code: "SECRET_INVALID" });
      expect(await secret.get()).toEqual({ key: "one" });
    }
    expect(calls).toBe(2);
  });

  it("that was deleted is used no longer than five minutes", async () => {
    await secret.get();
    manager.set(ID, undefined);
    clock = 5 * 60_000 - 1;
    expect(await secret.get()).toEqual({ key: "one" });
    clock += 1;
    await expect(secret.get()).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });

  it.each([
    ["is missing", undefined, "SECRET_MISSING", "gumroad-auth0/test/ping"],
    ["is not JSON", "{hunter2", "SECRET_INVALID", "not JSON"],
    ["lacks a key", '{"kex":"hunter2"}', "SECRET_INVALID", "for: key"],
    ["is another thing", '"hunter2"', "SECRET_INVALID", "the whole"],
  ])("that %s needs a person, and the message gives nothing away", async (_what, value, code, says) => {
    manager.set(ID, value);
    const failure = await secret.get().catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "NeedsPersonError", code, message: expect.stringContaining(says) });
    expect(String(failure)).not.toContain("hunter2");
  });

  it("is named by its name, also where the setting is its ARN", async () => {
    const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:gumroad-auth0/prod/ping-AbC123";
    await expect(read(arn, manager.url).get()).rejects.toThrow("The secret gumroad-auth0/prod/ping has no value yet");
  });
});

describe("a secret that may be left empty", () => {
  it("is null without a value, and what it is once there is one", async () => {
    manager.set(ID, undefined);
    const optional = optionalSecret(secret);
    expect(await optional()).toBeNull();
    manager.set(ID, '{"key":"one"}');
    clock = 10_000;
    expect(await optional()).toEqual({ key: "one" });
  });

  it("is not empty when it is broken", async () => {
    manager.set(ID, '{"kex":"one"}');
    await expect(optionalSecret(secret)()).rejects.toMatchObject({ code: "SECRET_INVALID" });
  });
});
