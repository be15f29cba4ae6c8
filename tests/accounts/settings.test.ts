import { describe, expect, it } from "@jest/globals";

import { auth0Settings, signUpSetting, tokenSettings } from "../../src/accounts/settings.ts";

const ours = { ACCOUNTS_SECRET: "accounts", ACCOUNTS_ISSUER: "https://login.example.com", ACCOUNTS_AUDIENCE: "course",
  ACCOUNTS_LIFETIME_SECONDS: "3600" };
const auth0 = { AUTH0_ISSUER: "https://tenant.eu.auth0.com", AUTH0_AUDIENCE: "https://course.example.com/api" };

describe("tokenSettings", () => {
  it("reads whose tokens are ours", () => {
    expect(tokenSettings(ours)).toMatchObject({ issuer: "https://login.example.com", audience: "course",
      lifetimeSeconds: 3_600 });
  });

  it.each(["an hour", "59", "86401", "60.5", "Infinity"])("takes no token's lifetime of %s", (seconds) => {
    expect(() => tokenSettings({ ...ours, ACCOUNTS_LIFETIME_SECONDS: seconds })).toThrow("it takes 60 to 86400");
  });

  it.each(["ACCOUNTS_SECRET", "ACCOUNTS_ISSUER", "ACCOUNTS_AUDIENCE", "ACCOUNTS_LIFETIME_SECONDS"])(
    "names %s when it is missing",
    (name) => {
      expect(() => tokenSettings({ ...ours, [name]: "" })).toThrow(name);
    },
  );
});

describe("auth0Settings", () => {
  it("is nothing without Auth0's settings", () => {
    expect(auth0Settings({ ...ours, AUTH0_ISSUER: "", AUTH0_AUDIENCE: "" })).toBeUndefined();
  });

  it("adds the issuer's trailing slash, and takes a roles claim or none", () => {
    expect(auth0Settings({ ...ours, ...auth0 })).toEqual({ issuer: "https://tenant.eu.auth0.com/",
      audience: "https://course.example.com/api", rolesClaim: undefined });
    expect(auth0Settings({ ...auth0, ROLES_CLAIM: "https://course.example.com/roles" })?.rolesClaim).toBe(
      "https://course.example.com/roles",
    );
  });

  it.each([{ AUTH0_ISSUER: "" }, { AUTH0_AUDIENCE: "" }])("refuses half of the settings: %j", (change) => {
    expect(() => auth0Settings({ ...auth0, ...change })).toThrow("have to be set both, or neither");
  });

  it("refuses our own issuer, as nobody could tell the tokens apart", () => {
    expect(() => auth0Settings({ ...auth0, ACCOUNTS_ISSUER: "https://tenant.eu.auth0.com/" })).toThrow(
      "ACCOUNTS_ISSUER has to differ",
    );
  });
});

describe("signUpSetting", () => {
  it.each([
    { SIGNUP: undefined, is: "open" },
    { SIGNUP: "", is: "open" },
    { SIGNUP: "open", is: "open" },
    { SIGNUP: "closed", is: "closed" },
  ])("takes $SIGNUP as $is", ({ SIGNUP, is }) => {
    expect(signUpSetting(SIGNUP === undefined ? {} : { SIGNUP })).toBe(is);
  });

  it.each(["close", "false", "Closed", "0"])('refuses "%s" rather than guess', (SIGNUP) => {
    expect(() => signUpSetting({ SIGNUP })).toThrow("SIGNUP");
  });
});
