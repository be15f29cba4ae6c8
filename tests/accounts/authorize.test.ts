import { beforeAll, describe, expect, it } from "@jest/globals";

import { authorize, checkAccess, identityOf } from "../../src/accounts/authorize.ts";
import { TokenRefused } from "../../src/accounts/errors.ts";
import type { VerifyToken } from "../../src/accounts/identity.ts";
import { HttpError } from "../../src/http/errors.ts";
import { httpHandler, json } from "../../src/http/handler.ts";
import { log } from "../../src/log.ts";
import { httpEvent, send } from "./http-events.ts";

beforeAll(() => {
  log.setLogLevel("SILENT");
});

const verify: VerifyToken = (token) =>
  token === "good"
    ? Promise.resolve({ issuer: "us", subject: "ann", roles: ["club", "course"] })
    : Promise.reject(new TokenRefused("The token is not valid"));

describe("checkAccess, the plain function", () => {
  it.each([{ anyRole: undefined }, { anyRole: [] }, { anyRole: ["club"] }, { anyRole: ["other", "course"] }])(
    "lets in with %j",
    async ({ anyRole }) => {
      expect(await checkAccess("Bearer good", { verify, anyRole })).toEqual({ issuer: "us", subject: "ann",
        roles: ["club", "course"] });
    },
  );

  it.each([
    { authorization: undefined, anyRole: ["club"], statusCode: 401 },
    { authorization: "Bearer bad", anyRole: ["club"], statusCode: 401 },
    { authorization: "Bearer good", anyRole: ["other"], statusCode: 403 },
  ])("throws $statusCode for %j", async ({ authorization, anyRole, statusCode }) => {
    const check = checkAccess(authorization, { verify, anyRole });

    await expect(check).rejects.toBeInstanceOf(HttpError);
    await expect(check).rejects.toMatchObject({ statusCode,
      headers: { "WWW-Authenticate": expect.stringContaining("Bearer realm=") } });
  });
});

describe("authorize, the middleware", () => {
  const handler = httpHandler((event) => Promise.resolve(json({ hello: identityOf(event).subject }))).use(
    authorize({ verify, anyRole: ["club", "other"] }),
  );

  it("tells the handler who calls", async () => {
    expect(await send(handler, { headers: { authorization: "Bearer good" } })).toMatchObject({ status: 200,
      body: { hello: "ann" } });
  });

  it("answers itself when nobody may come in", async () => {
    expect(await send(handler, { headers: { authorization: "Bearer bad" } })).toMatchObject({ status: 401 });
  });

  it("that was forgotten lets nobody in", () => {
    expect(() => identityOf(httpEvent({}))).toThrow("authorize() does not stand before it");
  });
});
