import { describe, expect, it } from "@jest/globals";

import { requireStart } from "../../../scripts/bundling/starting.ts";
import { ConfigError } from "../../../src/errors.ts";
import { TEST_BUNDLES } from "../../pipeline/local-stack.ts";

const ISSUER = "https://tenant.eu.auth0.com/";
const starts = (params: Record<string, string>) => requireStart(TEST_BUNDLES, { stage: "prod", params });

const faultOf = (error: unknown) => {
  if (!(error instanceof ConfigError)) throw error;
  return error;
};

describe("the functions as they would start", () => {
  it.each([
    { params: {} },
    { params: { auth0Issuer: ISSUER, auth0Audience: "https://api.example.com", rolesClaim: "https://example.com/r" } },
  ])("do with $params", async ({ params }) => {
    await expect(starts(params)).resolves.toBeUndefined();
  });

  it.each([
    { params: { auth0Issuer: ISSUER }, says: "AUTH0_ISSUER and AUTH0_AUDIENCE have to be set both, or neither." },
    { params: { auth0Audience: "x" }, says: "AUTH0_ISSUER and AUTH0_AUDIENCE have to be set both, or neither." },
    { params: { auth0Issuer: "http://tenant.auth0.com/", auth0Audience: "x" },
      says: "AUTH0_ISSUER has to be an https URL: https://TENANT.auth0.com/." },
    { params: { access: "meta" }, says: 'ACCESS is "meta": it takes roles, app_metadata.' },
    { params: { tokenSeconds: "5" }, says: 'ACCOUNTS_LIFETIME_SECONDS is "5": it takes 60 to 86400.' },
    { params: { signUp: "no" }, says: 'SIGNUP is "no": it takes open, closed.' },
  ])("don't with $params, and say why in the deployed code's own words", async ({ params, says }) => {
    const { code, message } = await starts(params).then(() => ({ code: "", message: "" }), faultOf);
    expect({ code, says: message.replace(/^The function \w+ would not start: /, "") }).toEqual({
      code: "SETTING_INVALID",
      says,
    });
  });
});
