import { describe, expect, it } from "@jest/globals";

import { createPasswords, owaspCost } from "../../src/accounts/password.ts";
import { cheapCost, LocalSecret } from "./accounts-stage.ts";

const passwords = createPasswords({ cost: cheapCost });

describe("createPasswords", () => {
  it("hashes with OWASP's parameters unless told otherwise, and knows the password again", async () => {
    const real = createPasswords();

    const stored = await real.hash("plum-tree-at-noon");

    expect(owaspCost).toEqual({ memory: 19_456, passes: 2, parallelism: 1 });
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/u);
    expect(await real.verify("plum-tree-at-noon", stored)).toBe(true);
    expect(await real.needsUpgrade(stored)).toBe(false);
  });

  it("agrees with the reference implementation of argon2", async () => {
    // From the test suite of the reference implementation: password "password", salt "somesalt".
    const stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    expect(await passwords.verify("password", stored)).toBe(true);
    expect(await passwords.verify("passwore", stored)).toBe(false);
  });

  it("gives the same password a different hash each time", async () => {
    expect(await passwords.hash("plum-tree-at-noon")).not.toBe(await passwords.hash("plum-tree-at-noon"));
  });

  it.each([
    { typed: "plum-tree-at-noo", why: "one character less" },
    { typed: "plum-tree-at-noonn", why: "one character more" },
    { typed: "Plum-tree-at-noon", why: "another case" },
    { typed: "plum-tree-at-noon ", why: "a space at the end" },
    { typed: "", why: "nothing" },
  ])("refuses $why", async ({ typed }) => {
    expect(await passwords.verify(typed, await passwords.hash("plum-tree-at-noon"))).toBe(false);
  });

  it("looks at every character of a long password", async () => {
    const stored = await passwords.hash(`${"x".repeat(127)}a`);

    expect(await passwords.verify(`${"x".repeat(127)}b`, stored)).toBe(false);
    expect(await passwords.verify(`${"x".repeat(127)}a`, stored)).toBe(true);
  });

  it("takes the same letters from another keyboard (NFKC)", async () => {
    expect(await passwords.verify("cafe\u0301 au lait", await passwords.hash("caf\u00e9 au lait"))).toBe(true);
  });

  it.each([{ cost: { ...cheapCost, memory: 16 } }, { cost: { ...cheapCost, passes: 2 } }, {
    cost: { ...cheapCost, memory: 16, parallelism: 2 },
  }])("still knows a hash of other parameters, and wants it upgraded: $cost", async ({ cost }) => {
    const stored = await createPasswords({ cost }).hash("plum-tree-at-noon");

    expect(await passwords.verify("plum-tree-at-noon", stored)).toBe(true);
    expect(await passwords.needsUpgrade(stored)).toBe(true);
    expect(await passwords.needsUpgrade(await passwords.hash("plum-tree-at-noon"))).toBe(false);
  });

  it.each(["", "plain text", "$2b$10$abcdefghijklmnopqrstuv",
    "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"])(
      'takes "%s" for no hash of ours',
      async (stored) => {
        await expect(passwords.verify("plum-tree-at-noon", stored)).rejects.toThrow("not an argon2id PHC string");
      },
    );
});

describe("a pepper", () => {
  it("is needed to check the hash, and its id stands in it", async () => {
    const secret = await LocalSecret.create();
    const peppered = createPasswords({ cost: cheapCost, secret });

    const stored = await peppered.hash("plum-tree-at-noon");

    expect(stored).toContain(",keyid=MQ$");
    expect(await peppered.verify("plum-tree-at-noon", stored)).toBe(true);
    expect(await passwords.verify("plum-tree-at-noon", stored.replace(",keyid=MQ", ""))).toBe(false);
  });

  it("is brought in without locking anybody out", async () => {
    const stored = await passwords.hash("plum-tree-at-noon");
    const peppered = createPasswords({ cost: cheapCost, secret: await LocalSecret.create() });

    expect(await peppered.verify("plum-tree-at-noon", stored)).toBe(true);
    expect(await peppered.needsUpgrade(stored)).toBe(true);
  });

  it("is replaced without locking anybody out, in a process that has not heard of the new one, too", async () => {
    const secret = await LocalSecret.create();
    const { peppers = [] } = secret.stored;
    const warm = createPasswords({ cost: cheapCost, secret });
    const before = await warm.hash("plum-tree-at-noon");
    const rotated = { ...secret.stored, peppers: [...peppers, { id: "2", key: "A".repeat(43) }], pepper_with: "2" };
    const after = await createPasswords({ cost: cheapCost, secret: new LocalSecret(rotated) }).hash(
      "plum-tree-at-noon",
    );

    secret.replace(rotated);

    expect(await warm.verify("plum-tree-at-noon", after)).toBe(true);
    expect(secret.rereads).toBe(1);
    expect(await warm.verify("plum-tree-at-noon", before)).toBe(true);
    expect(await warm.needsUpgrade(before)).toBe(true);
    expect(await warm.needsUpgrade(after)).toBe(false);
  });

  it("that was taken out too early is named, and nobody is told their password is wrong", async () => {
    const secret = await LocalSecret.create();
    const stored = await createPasswords({ cost: cheapCost, secret }).hash("plum-tree-at-noon");

    const check = passwords.verify("plum-tree-at-noon", stored);

    await expect(check).rejects.toMatchObject({ code: "PEPPER_MISSING",
      message: expect.stringContaining('pepper "1"') });
  });
});
