import { createPrivateKey, createPublicKey } from "node:crypto";

import { beforeAll, describe, expect, it } from "@jest/globals";
import { decodeJwt, decodeProtectedHeader, exportJWK } from "jose";

import { newAccountsSecret } from "../../scripts/new-accounts-secret.ts";
import { TokenRefused } from "../../src/accounts/errors.ts";
import { createTokens, type Tokens } from "../../src/accounts/tokens.ts";
import { Clock, LocalSecret, startOfTests } from "./accounts-stage.ts";
import { ed25519, hs256, newEd25519, newRsa, rs256, signedWith, unsigned } from "./forged-tokens.ts";

const issuer = "https://login.example.com";
const audience = "course";
const issuedAt = startOfTests / 1_000;
const claims = { iss: issuer, aud: audience, sub: "ann", iat: issuedAt, exp: issuedAt + 3_600 };
const login = { subject: "ann", roles: ["club"], loggedInAt: issuedAt, passwordSince: "2026-11-01T00:00:00.000Z",
  remember: false };
const header = { alg: "EdDSA", typ: "account+jwt", kid: "1" };

const clock = new Clock();
let secret: LocalSecret;
let tokens: Tokens;
let token: string;
/** Signs with the very key of the secret: what is refused then is refused for its content. */
let own: (input: Buffer) => Buffer;
let publicPem: string;
let publicHalf: Buffer;

beforeAll(async () => {
  secret = await LocalSecret.create();
  tokens = createTokens({ secret, issuer, audience, lifetimeSeconds: 3_600, now: clock.now });
  token = await tokens.issue(login);
  const { kty, crv, x, d = "" } = secret.stored.keys[0]!;
  const key = createPrivateKey({ key: { kty, crv, x, d }, format: "jwk" });
  own = ed25519(key);
  publicPem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  publicHalf = Buffer.from(x, "base64url");
});

async function refused(forged: string): Promise<string> {
  clock.time = startOfTests;
  try {
    await tokens.verify(forged);
  } catch (error) {
    if (error instanceof TokenRefused) return error.message;
    throw error;
  }
  throw new Error("The token was accepted");
}

describe("a token of ours", () => {
  it("carries exp, iat, iss, aud, sub, its own type and the key's id, the login and the roles", () => {
    expect(decodeProtectedHeader(token)).toEqual(header);
    expect(decodeJwt(token)).toEqual({ ...claims, auth_time: issuedAt, roles: ["club"],
      password_since: login.passwordSince });
  });

  it("speaks for its user", async () => {
    expect(await tokens.verify(token)).toEqual({ issuer, ...login });
  });

  it("of an earlier version, without a login and roles, speaks for its user too", async () => {
    expect(await tokens.verify(signedWith(header, claims, own))).toEqual({ issuer, ...login, roles: [],
      passwordSince: undefined });
  });

  it("is accepted for an hour, and 5 seconds for clocks that differ", async () => {
    clock.time = startOfTests + 3_604_000;
    await expect(tokens.verify(token)).resolves.toMatchObject({ subject: "ann" });
    clock.time = startOfTests + 3_605_000;
    await expect(tokens.verify(token)).rejects.toThrow("The token has expired");
    clock.time = startOfTests - 5_000;
    await expect(tokens.verify(token)).resolves.toMatchObject({ subject: "ann" });
    clock.time = startOfTests - 6_000;
    await expect(tokens.verify(token)).rejects.toThrow("The token is not valid");
    clock.time = startOfTests;
  });

  it("is a new one at every login", async () => {
    clock.forward(1);
    const next = await tokens.issue(login);
    clock.time = startOfTests;
    expect(next).not.toBe(token);
  });
});

describe("verify refuses", () => {
  it("a token forged as in these tests only for what is wrong with it", async () => {
    clock.time = startOfTests;
    await expect(tokens.verify(signedWith(header, claims, own))).resolves.toMatchObject({ subject: "ann" });
  });

  it.each(["none", "None", "nOnE", "NONE"])("alg %s", async (alg) => {
    expect(await refused(signedWith({ ...header, alg }, claims, unsigned))).toBe("The token is not valid");
    expect(await refused(signedWith({ ...header, alg }, claims, own))).toBe("The token is not valid");
  });

  it("a public key used as an HMAC secret (key confusion)", async () => {
    expect(await refused(signedWith({ ...header, alg: "HS256" }, claims, hs256(publicPem)))).toBe(
      "The token is not valid",
    );
    expect(await refused(signedWith({ ...header, alg: "HS256" }, claims, hs256(publicHalf)))).toBe(
      "The token is not valid",
    );
  });

  it("an algorithm that is not ours, with a key of its own", async () => {
    expect(await refused(signedWith({ ...header, alg: "RS256" }, claims, rs256(newRsa().privateKey)))).toBe(
      "The token is not valid",
    );
  });

  it("a key that the token brings along (jwk), or says where to find (jku, x5u)", async () => {
    const { privateKey, publicKey } = newEd25519();
    const jwk = await exportJWK(publicKey);
    for (const brought of [{ jwk }, { jku: "https://evil.example/keys" }, { x5u: "https://evil.example/cert" }, {
      x5c: ["AAAA"],
    }]) {
      expect(await refused(signedWith({ ...header, ...brought }, claims, ed25519(privateKey)))).toBe(
        "The token is not valid",
      );
    }
  });

  it("another key under our key's id", async () => {
    expect(await refused(signedWith(header, claims, ed25519(newEd25519().privateKey)))).toBe("The token is not valid");
  });

  it.each([{ kid: "2" }, { kid: undefined }, { kid: "" }, { kid: "../1" }, { kid: "__proto__" }])("the key id $kid",
    async ({ kid }) => {
      expect(await refused(signedWith({ ...header, kid }, claims, own))).toBe(
        "The token is signed with a key that is not in use",
      );
    });

  it.each([{ typ: "JWT" }, { typ: "at+jwt" }, { typ: undefined }])("the type $typ", async ({ typ }) => {
    expect(await refused(signedWith({ ...header, typ }, claims, own))).toBe("The token is not valid");
  });

  it("an extension it does not know (crit)", async () => {
    expect(
      await refused(
        signedWith({ ...header, crit: ["urn:example:only-once"], "urn:example:only-once": true }, claims, own),
      ),
    ).toBe("The token is not valid");
  });

  it.each([
    { change: { iss: "https://evil.example" }, why: "another issuer" },
    { change: { iss: `${issuer}/` }, why: "an issuer that is nearly ours" },
    { change: { iss: undefined }, why: "no issuer" },
    { change: { aud: "another" }, why: "another audience" },
    { change: { aud: [] }, why: "an empty audience" },
    { change: { aud: undefined }, why: "no audience" },
    { change: { sub: undefined }, why: "no sub" },
    { change: { sub: "" }, why: "an empty sub" },
    { change: { sub: 7 }, why: "a sub that is no text" },
    { change: { exp: undefined }, why: "no exp" },
    { change: { exp: "tomorrow" }, why: "an exp that is no number" },
    { change: { iat: undefined }, why: "no iat" },
    { change: { iat: issuedAt + 60, exp: issuedAt + 960 }, why: "an iat in the future" },
    { change: { exp: issuedAt + 3_601 }, why: "an exp further off than we ever set" },
    { change: { exp: issuedAt + 10 * 365 * 86_400 }, why: "an exp in ten years" },
    { change: { nbf: issuedAt + 60 }, why: "an nbf in the future" },
  ])("$why", async ({ change }) => {
    expect(await refused(signedWith(header, { ...claims, ...change }, own))).toBe("The token is not valid");
  });

  it.each([
    { change: { exp: issuedAt - 5 }, why: "what has expired" },
    { change: { iat: issuedAt - 86_400, exp: issuedAt + 86_400 },
      why: "what claims to last longer than we ever allow" },
  ])("$why", async ({ change }) => {
    expect(await refused(signedWith(header, { ...claims, ...change }, own))).toBe("The token has expired");
  });

  it("a token with a single character changed, wherever it is", async () => {
    const [head = "", payload = "", signature = ""] = token.split(".");
    const other = (text: string, at: number) =>
      text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    // The last character of a part may hold bits that belong to no byte.
    const sameBytes = (text: string) =>
      [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
        .map((last) => text.slice(0, -1) + last)
        .filter((changed) =>
          changed !== text && Buffer.from(changed, "base64url").equals(Buffer.from(text, "base64url"))
        );
    expect(sameBytes(signature)).toHaveLength(15);
    for (const tampered of [
      `${other(head, 5)}.${payload}.${signature}`,
      `${head}.${other(payload, 20)}.${signature}`,
      `${head}.${payload}.${other(signature, 0)}`,
      `${head}.${payload}.${other(signature, 40)}`,
      ...sameBytes(head).map((each) => `${each}.${payload}.${signature}`),
      ...sameBytes(payload).map((each) => `${head}.${each}.${signature}`),
      ...sameBytes(signature).map((each) => `${head}.${payload}.${each}`),
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${head}.${payload}.${signature}.${signature}`,
    ]) {
      expect(await refused(tampered)).toMatch(/^The token is (not valid|signed with a key that is not in use)$/u);
    }
  });

  it.each(["", "token", "a.b.c", "{}", "null", "💥.💥.💥", ".".repeat(10_000)])("what is no token: %s",
    async (text) => {
      expect(await refused(text.slice(0, 10_000))).toBe("The token is not valid");
    });
});

describe("changing the key", () => {
  it("logs nobody out: old tokens pass, new ones carry the new key, also where the old was read before", async () => {
    clock.time = startOfTests;
    const changing = await LocalSecret.create();
    const warm = createTokens({ secret: changing, issuer, audience, lifetimeSeconds: 3_600, now: clock.now });
    const before = await warm.issue(login);
    const added = await newAccountsSecret({ kid: "2" });
    // The old key without its private half: it can check, and sign nothing any more.
    const retired = changing.stored.keys.map(({ kid, kty, crv, x }) => ({ kid, kty, crv, x }));
    const changed = { ...changing.stored, keys: [...retired, ...added.keys], sign_with: "2" };
    const cold = createTokens({ secret: new LocalSecret(changed), issuer, audience, lifetimeSeconds: 3_600,
      now: clock.now });
    changing.replace(changed);

    const after = await cold.issue(login);

    expect(decodeProtectedHeader(after).kid).toBe("2");
    for (const each of [before, after]) {
      await expect(warm.verify(each)).resolves.toMatchObject({ subject: "ann" });
      await expect(cold.verify(each)).resolves.toMatchObject({ subject: "ann" });
    }
    expect(changing.rereads).toBe(1);
    expect(decodeProtectedHeader(await warm.issue(login)).kid).toBe("2");
  });

  it("ends the tokens of a key that was taken out", async () => {
    const added = await newAccountsSecret({ kid: "2" });
    const without = createTokens({ secret: new LocalSecret(added), issuer, audience, lifetimeSeconds: 3_600,
      now: clock.now });

    await expect(without.verify(token)).rejects.toThrow("a key that is not in use");
  });
});
