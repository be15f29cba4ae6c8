import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { mailInvitation } from "../../src/auth0/invite.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import { startAuth0Emulator, type Auth0Emulator } from "auth0-emulator";

const EMAIL = "ann@example.com";
const CONNECTION = "Username-Password-Authentication";

let auth0: Auth0Emulator;
beforeAll(async () => {
  auth0 = await startAuth0Emulator();
});
afterAll(async () => {
  await auth0.stop();
});

const credentials = (domain: string) =>
  auth0SecretShape.parse({ domain, client_id: "local-client", client_secret: "local-secret" });
const mail = (domain: string, signal = AbortSignal.timeout(60_000)) =>
  mailInvitation(credentials(domain), EMAIL, CONNECTION, fetch, signal);

describe("asking Auth0 for the invitation", () => {
  it("says that it surely wasn't sent where nobody listens, or no time was left: it is tried again", async () => {
    const gone = await startAuth0Emulator();
    await gone.stop();
    await expect(mail(gone.url)).rejects.toMatchObject({ code: "AUTH0_MAIL_UNSENT" });
    await expect(mail(auth0.url, AbortSignal.abort())).rejects.toMatchObject({ code: "AUTH0_MAIL_UNSENT" });
    expect(auth0.passwordMails).toEqual([]);
  });

  it("says that nobody knows where the connection broke on the way: it is never sent twice", async () => {
    auth0.fault({ path: "/dbconnections/change_password", answer: "reset" });
    await expect(mail(auth0.url)).rejects.toMatchObject({ code: "AUTH0_UNREACHABLE" });
  });
});
