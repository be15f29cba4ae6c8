import { createPublicKey } from "node:crypto";

import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { exportJWK } from "jose";

import { createAuth0Verifier } from "../../src/accounts/auth0-tokens.ts";
import { TokenRefused } from "../../src/accounts/errors.ts";
import type { VerifyToken } from "../../src/accounts/identity.ts";
import { Clock, startOfTests } from "./accounts-stage.ts";
import { hs256, newRsa, rs256, signedWith, unsigned } from "./forged-tokens.ts";
import { auth0Audience, rolesClaim, Tenant } from "./tenant.ts";

/** Somebody else's key. */
const stranger = newRsa();
const issuedAt = startOfTests / 1_000;

let clock: Clock;
let tenant: Tenant;
let verify: VerifyToken;

beforeEach(async () => {
  clock = new Clock();
  // jose asks the machine's clock how old its keys are.
  jest.spyOn(Date, "now").mockImplementation(clock.now);
  tenant = await Tenant.start();
  verify = createAuth0Verifier({ issuer: tenant.issuer, audience: auth0Audience, rolesClaim, now: clock.now });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await tenant.close();
});

describe("an access token of Auth0", () => {
  it("speaks for its user, with the roles of the namespaced claim", async () => {
    const token = await tenant.accessToken(issuedAt, { [rolesClaim]: ["club", "course"] });

    expect(await verify(token)).toEqual({ issuer: tenant.issuer, subject: "auth0|ann", roles: ["club", "course"] });
  });

  it.each([{ claim: undefined }, { claim: "club" }, { claim: [1, 2] }, { claim: { club: true } }])(
    "has no roles if the claim is $claim",
    async ({ claim }) => {
      expect(await verify(await tenant.accessToken(issuedAt, { [rolesClaim]: claim, roles: ["club"] }))).toEqual({
        issuer: tenant.issuer,
        subject: "auth0|ann",
        roles: [],
      });
    },
  );

  it.each([
    { changes: { iss: "https://other.eu.auth0.com/" }, why: "another tenant" },
    { changes: { aud: "another-api" }, why: "another API" },
    { changes: { aud: undefined }, why: "no audience" },
    { changes: { sub: undefined }, why: "no sub" },
    { changes: { exp: undefined }, why: "no exp" },
    { changes: { exp: issuedAt - 10 }, why: "expired" },
    { changes: { nbf: issuedAt + 60 }, why: "not valid yet" },
  ])("is refused: $why", async ({ changes }) => {
    await expect(verify(await tenant.accessToken(issuedAt, changes))).rejects.toThrow(TokenRefused);
  });

  it("is refused with any algorithm but RS256: none, HS256 with the public key, another RSA key", async () => {
    const { jwk, kid } = tenant.keys[0]!;
    const { kty = "", n = "", e = "" } = jwk;
    const pem = createPublicKey({ key: { kty, n, e }, format: "jwk" }).export({ type: "spki", format: "pem" })
      .toString();
    const claims = { iss: tenant.issuer, aud: auth0Audience, sub: "auth0|ann", iat: issuedAt, exp: issuedAt + 60 };
    for (const forged of [
      signedWith({ alg: "none", kid }, claims, unsigned),
      signedWith({ alg: "HS256", kid }, claims, hs256(pem)),
      signedWith({ alg: "RS256", kid }, claims, rs256(stranger.privateKey)),
      signedWith({ alg: "RS256", kid, jwk: await exportJWK(stranger.publicKey) }, claims, rs256(stranger.privateKey)),
      signedWith({ alg: "PS256", kid }, claims, rs256(tenant.keys[0]!.privateKey)),
    ]) {
      await expect(verify(forged)).rejects.toThrow(TokenRefused);
    }
    await expect(verify(signedWith({ alg: "RS256", kid }, claims, rs256(tenant.keys[0]!.privateKey)))).resolves
      .toMatchObject({ subject: "auth0|ann" });
  });
});

describe("the tenant's keys", () => {
  it("are fetched once: a warm request makes no network call", async () => {
    const token = await tenant.accessToken(issuedAt);

    for (let request = 1; request <= 20; request += 1) await verify(token);
    clock.forward(599);
    await verify(token);

    expect(tenant.requests).toBe(1);
  });

  it("are fetched once for many requests at once", async () => {
    const token = await tenant.accessToken(issuedAt);

    await Promise.all(Array.from({ length: 20 }, () => verify(token)));

    expect(tenant.requests).toBe(1);
  });

  it("may change: a token with a new key is accepted, and so are those with the old one", async () => {
    const old = await tenant.accessToken(issuedAt);
    await verify(old);
    await tenant.rotate("second", { keepOld: true });
    clock.forward(31);

    await expect(verify(await tenant.accessToken(issuedAt))).resolves.toMatchObject({ subject: "auth0|ann" });
    await expect(verify(old)).resolves.toMatchObject({ subject: "auth0|ann" });
    expect(tenant.requests).toBe(2);
  });

  it("are not fetched again for every stranger's key id", async () => {
    await verify(await tenant.accessToken(issuedAt));
    const claims = { iss: tenant.issuer, aud: auth0Audience, sub: "x", exp: issuedAt + 60 };

    for (let guess = 1; guess <= 20; guess += 1) {
      await expect(
        verify(signedWith({ alg: "RS256", kid: `made up ${String(guess)}` }, claims, rs256(stranger.privateKey))),
      ).rejects.toThrow(TokenRefused);
    }

    expect(tenant.requests).toBe(1);
  });

  it("no longer count ten minutes after the tenant has withdrawn them", async () => {
    const old = await tenant.accessToken(issuedAt);
    await verify(old);
    await tenant.rotate("second", { keepOld: false });
    clock.forward(601);

    await expect(verify(old)).rejects.toThrow(TokenRefused);
  });

  it.each(["failing", "talking nonsense", "gone"] as const)(
    "go on counting while the tenant is %s, for a day, and are asked for once in ten minutes",
    async (health) => {
      const token = await tenant.accessToken(issuedAt);
      await verify(token);
      tenant.health = health;
      clock.forward(3_600);

      for (let request = 1; request <= 5; request += 1) {
        await expect(verify(token)).resolves.toMatchObject({ subject: "auth0|ann" });
      }
      expect(tenant.requests).toBe(2);

      clock.forward(86_400);
      const young = await tenant.accessToken(clock.time / 1_000);
      await expect(verify(young)).rejects.toMatchObject({ name: "TemporaryError", code: "AUTH0_KEYS_UNREACHABLE" });

      tenant.health = "well";
      clock.forward(6);
      await expect(verify(young)).resolves.toMatchObject({ subject: "auth0|ann" });
    },
  );

  it("that can't be had at all are a temporary trouble, not a bad token", async () => {
    tenant.health = "gone";

    await expect(verify(await tenant.accessToken(issuedAt))).rejects.toMatchObject({ name: "TemporaryError",
      code: "AUTH0_KEYS_UNREACHABLE" });
  });

  it("are not waited for while the tenant begins to answer and falls silent", async () => {
    const hasty = createAuth0Verifier({ issuer: tenant.issuer, audience: auth0Audience, rolesClaim, now: clock.now,
      fetchTimeoutMs: 100 });
    tenant.health = "silent";

    await expect(hasty(await tenant.accessToken(issuedAt))).rejects.toMatchObject({ name: "TemporaryError",
      code: "AUTH0_KEYS_UNREACHABLE" });
  });

  it("that can't be asked about a new key id are a temporary trouble, too", async () => {
    await verify(await tenant.accessToken(issuedAt));
    await tenant.rotate("second", { keepOld: true });
    tenant.health = "gone";
    clock.forward(601);

    await expect(verify(await tenant.accessToken(issuedAt))).rejects.toMatchObject({ code: "AUTH0_KEYS_UNREACHABLE" });
  });

  it.each(["http://tenant.eu.auth0.com/", "tenant.eu.auth0.com", "ftp://127.0.0.1/", ""])('are not fetched from "%s"',
    (issuer) => {
      expect(() => createAuth0Verifier({ issuer, audience: auth0Audience, rolesClaim })).toThrow(
        "AUTH0_ISSUER has to be an https URL",
      );
    });
});
