import { describe, expect, it } from "@jest/globals";

import { accountsSecretShape } from "../../src/accounts/accounts-secret.ts";
import { newAccountsSecret } from "../../scripts/new-accounts-secret.ts";

describe("newAccountsSecret", () => {
  it("makes a usable secret, another each time", async () => {
    const [one, other] = [await newAccountsSecret(), await newAccountsSecret()];

    expect(accountsSecretShape.parse(JSON.parse(JSON.stringify(one)))).toEqual(one);
    expect(one).toMatchObject({ sign_with: "1", pepper_with: "1" });
    expect(one.keys[0]?.d).not.toBe(other.keys[0]?.d);
    expect(one.peppers?.[0]?.key).not.toBe(other.peppers?.[0]?.key);
  });
});

describe("accountsSecretShape", () => {
  it("takes a secret without peppers", async () => {
    const { keys, sign_with } = await newAccountsSecret();

    expect(accountsSecretShape.safeParse({ keys, sign_with }).success).toBe(true);
  });

  it("takes a retired key without its private half", async () => {
    const secret = await newAccountsSecret();
    const [retired] = (await newAccountsSecret({ kid: "0" })).keys;

    expect(accountsSecretShape.safeParse({ ...secret, keys: [...secret.keys, { ...retired, d: undefined }] }).success)
      .toBe(true);
  });

  it.each([
    { change: { keys: [] }, path: "keys", why: "no key" },
    { change: { sign_with: "2" }, path: "sign_with", why: "a signing key that is not there" },
    { change: { pepper_with: "2" }, path: "pepper_with", why: "a pepper that is not there" },
    { change: { peppers: undefined }, path: "pepper_with", why: "a pepper where there are none" },
    { change: { peppers: [{ id: "1", key: "c2hvcnQ" }] }, path: "peppers.0.key", why: "a pepper that is too short" },
    { change: { peppers: [{ id: "number one", key: "A".repeat(43) }] }, path: "peppers.0.id",
      why: "a pepper's id that does not fit into a hash" },
    { change: { keys: [{ kid: "1", kty: "oct", k: "c2VjcmV0" }] }, path: "keys.0.kty", why: "a key of another kind" },
  ])("refuses $why, naming $path", async ({ change, path }) => {
    const result = accountsSecretShape.safeParse({ ...(await newAccountsSecret()), ...change });

    expect(result.error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });

  it("refuses a signing key without its private half, and two keys of one id", async () => {
    const secret = await newAccountsSecret();
    const [key] = secret.keys;

    expect(accountsSecretShape.safeParse({ ...secret, keys: [{ ...key, d: undefined }] }).success).toBe(false);
    expect(accountsSecretShape.safeParse({ ...secret, keys: [key, key] }).success).toBe(false);
  });
});
