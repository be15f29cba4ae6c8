import { describe, expect, it } from "@jest/globals";

import { checkAccess } from "../../src/accounts/authorize.ts";
import { TokenRefused } from "../../src/accounts/errors.ts";
import type { VerifyToken } from "../../src/accounts/identity.ts";
import { HttpError } from "../../src/http/errors.ts";

const verify: VerifyToken = (token) =>
  token === "good"
    ? Promise.resolve({ issuer: "us", subject: "ann", roles: ["club", "course"] })
    : Promise.reject(new TokenRefused("The token is not valid"));

describe("checkAccess", () => {
  it.each([undefined, "club", "course"])("lets in with the role %s", async (role) => {
    expect(await checkAccess("Bearer good", verify, role)).toEqual({ issuer: "us", subject: "ann",
      roles: ["club", "course"] });
  });

  it.each([
    { authorization: undefined, role: "club", statusCode: 401 },
    { authorization: "Bearer bad", role: "club", statusCode: 401 },
    { authorization: "Bearer good", role: "other", statusCode: 403 },
    { authorization: "Bearer good", role: "", statusCode: 403 },
  ])("throws $statusCode for $authorization, $role", async ({ authorization, role, statusCode }) => {
    const check = checkAccess(authorization, verify, role);

    await expect(check).rejects.toBeInstanceOf(HttpError);
    await expect(check).rejects.toMatchObject({ statusCode,
      headers: { "WWW-Authenticate": expect.stringContaining("Bearer realm=") } });
  });
});
