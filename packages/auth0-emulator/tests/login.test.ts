/** Logging in as a browser does: the pages, their forms and cookies, and what tokens come of it. */
import { createHash, randomBytes } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import * as z from "zod";

import { startAuth0Emulator } from "../src/emulator.ts";
import type { Auth0Emulator } from "../src/emulator.ts";
import { rawCall, tokenOf } from "./raw-calls.ts";

const CALLBACK = "http://127.0.0.1:3000/courses";
const ORIGIN = "http://127.0.0.1:3000";
const API = "https://api.example.com";
const CLAIM = "https://example.com/roles";
const PASSWORD = "Plum-tree-at-9";
const ACTION = `exports.onExecutePostLogin = async (event, api) => {
  if (event.user.app_metadata.banned) api.access.deny("Not you.");
  api.accessToken.setCustomClaim("${CLAIM}", event.authorization.roles);
  api.accessToken.setCustomClaim("roles", ["dropped"]);
  api.idToken.setCustomClaim("https://example.com/app", event.client.name + " " + event.secrets.WORD);
  api.user.setAppMetadata("logins", event.stats.logins_count);
};`;

let auth0: Auth0Emulator;
beforeAll(async () => {
  auth0 = await startAuth0Emulator({ roles: ["reader"],
    login: {
      applications: [{ clientId: "courses", name: "Courses", callbacks: [CALLBACK], logoutUrls: [CALLBACK],
        origins: [ORIGIN] }],
      apis: [{ identifier: API, tokenSeconds: 600 }],
      actions: [{ name: "roles", code: ACTION, secrets: { WORD: "secret" } }],
    } });
});
afterAll(async () => auth0.stop());
beforeEach(() => {
  auth0.reset();
});

const tokensShape = z.object({ access_token: z.string(), id_token: z.string(), refresh_token: z.string().optional(),
  scope: z.string(), expires_in: z.number() });

/** One person at one browser. */
class Browser {
  readonly #cookies = new Map<string, string>();
  /** What proves that a code is this browser's. */
  verifier = "";

  async open(address: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const response = await fetch(new URL(address, auth0.url), { redirect: "manual",
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) }) });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }

  /** Goes to `/authorize` as a page does; where it is sent. */
  async authorize(more: Readonly<Record<string, string>> = {}): Promise<URL> {
    this.verifier = randomBytes(32).toString("base64url");
    const challenge = createHash("sha256").update(this.verifier).digest("base64url");
    const query = new URLSearchParams({ client_id: "courses", response_type: "code", redirect_uri: CALLBACK,
      scope: "openid profile email offline_access", audience: API, state: "s", nonce: "n", code_challenge: challenge,
      code_challenge_method: "S256", ...more });
    return locationOf(await this.open(`/authorize?${query.toString()}`));
  }

  /** Sends a form of the login page, and follows it to the application. */
  async submit(page: URL, step: string, form: Readonly<Record<string, string>>): Promise<URL> {
    const finished = locationOf(await this.open(`${page.pathname}/${step}`, form));
    return locationOf(await this.open(finished.href));
  }

  async tokens(back: URL): Promise<z.infer<typeof tokensShape>> {
    const code = back.searchParams.get("code") ?? "";
    return tokensShape.parse(
      await (await exchange({ grant_type: "authorization_code", client_id: "courses", code,
        code_verifier: this.verifier, redirect_uri: CALLBACK })).json(),
    );
  }
}

function locationOf(response: Response): URL {
  return new URL(response.headers.get("location") ?? `about:blank#${String(response.status)}`, auth0.url);
}

async function exchange(form: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`${auth0.url}/oauth/token`, { method: "POST", body: new URLSearchParams(form),
    headers: { origin: ORIGIN } });
}

async function told(answer: Response): Promise<{ status: number; body: unknown }> {
  return { status: answer.status, body: await answer.json() };
}

async function loggedIn(email = "zoe@example.com"): Promise<{ browser: Browser; back: URL }> {
  const browser = new Browser();
  return { browser, back: await browser.submit(await browser.authorize(), "login", { email, password: PASSWORD }) };
}

/** A user with a password, as sign-up makes one. */
async function signedUp(email = "zoe@example.com"): Promise<string> {
  const browser = new Browser();
  await browser.submit(await browser.authorize(), "sign-up", { email, password: PASSWORD });
  return auth0.users().find((user) => user.email === email)?.user_id ?? "";
}

describe("logging in with a password", () => {
  it("gives tokens as Auth0 makes them: the user's id, the API and userinfo, the Actions' claims", async () => {
    const id = await signedUp();
    auth0.giveRoles(id, ["reader"]);
    const { browser, back } = await loggedIn();
    const tokens = await browser.tokens(back);
    const keys = createRemoteJWKSet(new URL(`${auth0.url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(tokens.access_token, keys, { issuer: `${auth0.url}/`, audience: API,
      algorithms: ["RS256"] });
    expect(payload).toMatchObject({ sub: id, azp: "courses", aud: [API, `${auth0.url}/userinfo`], [CLAIM]: ["reader"],
      scope: "openid profile email offline_access" });
    expect(payload).not.toHaveProperty("roles");
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
    expect(decodeJwt(tokens.id_token)).toMatchObject({ sub: id, aud: "courses", nonce: "n", email: "zoe@example.com",
      email_verified: false, "https://example.com/app": "Courses secret" });
  });

  it("answers userinfo for the access token of an API", async () => {
    const id = await signedUp();
    const { browser, back } = await loggedIn();
    const { access_token: token } = await browser.tokens(back);
    const ask = (authorization: string) => fetch(`${auth0.url}/userinfo`, { headers: { authorization } });
    expect(await (await ask(`Bearer ${token}`)).json()).toMatchObject({ sub: id, email: "zoe@example.com" });
    expect((await ask(`Bearer ${token}x`)).status).toBe(401);
  });

  it("refuses a wrong password and an unknown email in the same words", async () => {
    await signedUp();
    const browser = new Browser();
    const page = await browser.authorize();
    const answers = [{ email: "zoe@example.com", password: "wrong" }, { email: "no@example.com", password: PASSWORD }]
      .map(async (form) => (await browser.open(`${page.pathname}/login`, form)).text());
    for (const answer of answers) expect(await answer).toContain("Wrong email or password.");
  });

  it("refuses somebody who is blocked", async () => {
    const id = await signedUp();
    auth0.block(id);
    const browser = new Browser();
    const page = await browser.authorize();
    const answer = await browser.open(`${page.pathname}/login`, { email: "zoe@example.com", password: PASSWORD });
    expect(await answer.text()).toContain("This account is blocked.");
  });

  it("denies whom an Action denies", async () => {
    auth0.addUser({ email: "mallory@example.com", connection: "google-oauth2", app_metadata: { banned: true } });
    const browser = new Browser();
    const back = await browser.submit(await browser.authorize(), "google", { email: "mallory@example.com",
      verified: "yes" });
    const answer = await exchange({ grant_type: "authorization_code", client_id: "courses",
      code: back.searchParams.get("code") ?? "", redirect_uri: CALLBACK, code_verifier: browser.verifier });
    expect({ status: answer.status, body: await answer.json() }).toMatchObject({ status: 403,
      body: { error: "access_denied", error_description: "Not you." } });
  });

  it("shows nothing typed as HTML", async () => {
    const browser = new Browser();
    const page = await browser.authorize({ login_hint: `"><script>alert(1)</script>` });
    const shown = await (await browser.open(page.href)).text();
    expect(shown).toContain("&#34;&#62;&#60;script&#62;");
    expect(shown).not.toContain("<script");
  });
});

describe("signing up", () => {
  it("leaves the email unverified until the link in the mail is followed, once", async () => {
    await signedUp();
    expect(auth0.users()).toMatchObject([{ email: "zoe@example.com", email_verified: false }]);
    const browser = new Browser();
    const inbox = await (await browser.open("/_emulator/inbox")).text();
    const [link = ""] = /\/u\/email-verification\?ticket=[\w-]+/.exec(inbox) ?? [];
    expect((await browser.open(link)).status).toBe(200);
    expect(auth0.users()).toMatchObject([{ email_verified: true }]);
    const used = await browser.open(link);
    expect(used.status).toBe(400);
    expect(await used.text()).toContain(`<a href="${ORIGIN}`);
  });

  it("refuses a weak password, and an address that is taken", async () => {
    await signedUp();
    const browser = new Browser();
    const page = await browser.authorize({ screen_hint: "signup" });
    const answer = async (form: Readonly<Record<string, string>>) =>
      (await browser.open(`${page.pathname}/sign-up`, form)).text();
    expect(await answer({ email: "new@example.com", password: "short" })).toContain("The password is too weak.");
    expect(await answer({ email: "zoe@example.com", password: PASSWORD })).toContain("an account already");
  });
});

describe("signing up from the login page", () => {
  it("takes what was typed there, or leads on to where it is asked for", async () => {
    const browser = new Browser();
    const { pathname } = await browser.authorize();
    expect(await (await browser.open(pathname)).text()).toContain(`formaction="${pathname}/sign-up"`);
    const asked = async (form: Readonly<Record<string, string>>) =>
      locationOf(await browser.open(`${pathname}/sign-up`, form));
    expect((await asked({ email: "", password: "" })).search).toBe("?email=");
    const next = await asked({ email: "new@example.com", password: "" });
    expect(await (await browser.open(next.href)).text()).toContain('value="new@example.com"');
    const refused = await browser.open(`${pathname}/sign-up`, { email: "new", password: PASSWORD });
    expect(await refused.text()).toContain("That is no email address.");
    expect(auth0.users()).toEqual([]);
  });
});

describe("a login that is over", () => {
  it("ends as it did for a form that was sent twice, once; later it leads back to the application", async () => {
    await signedUp();
    const browser = new Browser();
    const page = await browser.authorize();
    const form = { email: "zoe@example.com", password: PASSWORD };
    const back = await browser.submit(page, "login", form);
    const again = await browser.open(`${page.pathname}/login`, form);
    expect([again.status, locationOf(again).href]).toEqual([303, back.href]);
    expect((await browser.tokens(back)).scope).toContain("openid");
    const late = await browser.open(`${page.pathname}/login`, form);
    expect(late.status).toBe(400);
    expect(await late.text()).toContain('<a href="http://127.0.0.1:3000">Go on to Courses</a>');
  });
});

describe("other ways in", () => {
  it("lets anybody be anybody at Google, verified or not, as a user of their own", async () => {
    const browser = new Browser();
    const back = await browser.submit(await browser.authorize({ connection: "google-oauth2" }), "google", {
      email: "Zoe@example.com",
    });
    expect(decodeJwt((await browser.tokens(back)).id_token)).toMatchObject({ email: "Zoe@example.com",
      email_verified: false, sub: expect.stringMatching(/^google-oauth2\|\d+$/) });
  });

  it("mails a code that works once", async () => {
    const browser = new Browser();
    const page = await browser.authorize({ connection: "email" });
    await browser.open(`${page.pathname}/code`, { email: "zoe@example.com" });
    const [, code = ""] = /Your code is (\d{6})/.exec(await (await browser.open("/_emulator/inbox")).text()) ?? [];
    const wrong = await browser.open(`${page.pathname}/enter-code`, { email: "zoe@example.com", code: "none" });
    expect(await wrong.text()).toContain("That is not the code.");
    const back = await browser.submit(page, "enter-code", { email: "zoe@example.com", code });
    expect(decodeJwt((await browser.tokens(back)).id_token)).toMatchObject({ email_verified: true,
      sub: expect.stringMatching(/^email\|/) });
    const other = await browser.authorize({ prompt: "login" });
    const again = await browser.open(`${other.pathname}/enter-code`, { email: "zoe@example.com", code });
    expect(await again.text()).toContain("That is not the code.");
  });

  it("sets a forgotten password by mail, which verifies the address", async () => {
    await signedUp();
    const browser = new Browser();
    const page = await browser.authorize();
    const known = await (await browser.open(`${page.pathname}/forgotten`, { email: "zoe@example.com" })).text();
    const unknown = await (await browser.open(`${page.pathname}/forgotten`, { email: "no@example.com" })).text();
    expect(known.replace("zoe@", "no@")).toBe(unknown);
    const inbox = await (await browser.open("/_emulator/inbox")).text();
    const [, ticket = ""] = /\/lo\/reset\?ticket=([\w-]+)/.exec(inbox) ?? [];
    expect(await (await browser.open("/lo/reset", { ticket, password: "weak" })).text()).toContain("too weak");
    expect((await browser.open("/lo/reset", { ticket, password: "Another-one-7" })).status).toBe(200);
    const back = await browser.submit(page, "login", { email: "zoe@example.com", password: "Another-one-7" });
    expect(decodeJwt((await browser.tokens(back)).id_token)).toMatchObject({ email_verified: true });
  });
});

describe("a session", () => {
  it("gives a page a token in silence, in a message to its window, until it is ended", async () => {
    await signedUp();
    const { browser } = await loggedIn();
    const silent = { prompt: "none", response_mode: "web_message" };
    const query = new URLSearchParams({ client_id: "courses", response_type: "code", redirect_uri: CALLBACK,
      scope: "openid", audience: API, state: "s", code_challenge: "x".repeat(43), code_challenge_method: "S256",
      ...silent });
    const message = async () => (await browser.open(`/authorize?${query.toString()}`)).text();
    expect(await message()).toMatch(/"response":\{"code":"/);
    const out = await browser.open(`/v2/logout?client_id=courses&returnTo=${encodeURIComponent(CALLBACK)}`);
    expect(out.headers.get("location")).toBe(CALLBACK);
    expect(await message()).toContain("login_required");
  });

  it("leads nobody out to an address that isn't registered", async () => {
    const out = await new Browser().open("/v2/logout?client_id=courses&returnTo=https%3A%2F%2Fevil.example");
    expect(out.status).toBe(400);
  });

  it("sends codes to no address that isn't registered", async () => {
    expect((await new Browser().authorize({ redirect_uri: "https://evil.example" })).href).toBe("about:blank#400");
  });

  it("tells a page in Auth0's words why there is no token", async () => {
    await signedUp();
    const exchanged = async (change: Readonly<Record<string, string>>) => {
      const { browser, back } = await loggedIn();
      return told(
        await exchange({ grant_type: "authorization_code", client_id: "courses",
          code: back.searchParams.get("code") ?? "", redirect_uri: CALLBACK, code_verifier: browser.verifier,
          ...change }),
      );
    };
    const refused = (error: string, description: string, status = 403) => ({ status,
      body: { error, error_description: description } });
    expect(await exchanged({ code_verifier: "x".repeat(43) })).toEqual(
      refused("invalid_grant", "Failed to verify code verifier"),
    );
    expect(await exchanged({ code: "x" })).toEqual(refused("invalid_grant", "Invalid authorization code"));
    expect(await exchanged({ client_id: "x" })).toEqual(refused("access_denied", "Unauthorized", 401));
    const { searchParams } = await new Browser().authorize({ prompt: "none" });
    expect(searchParams.get("error_description")).toBe("Login required");
  });

  it("refuses an API that the tenant doesn't have", async () => {
    const back = await new Browser().authorize({ audience: "https://other.example.com" });
    expect(back.searchParams.get("error")).toBe("access_denied");
    expect(back.searchParams.get("error_description")).toBe("Service not found: https://other.example.com");
  });
});

describe("a refresh token", () => {
  it("brings new roles without a login, and is replaced each time: an old one ends them all", async () => {
    const id = await signedUp();
    const { browser, back } = await loggedIn();
    const first = await browser.tokens(back);
    const refresh = (token = "") =>
      exchange({ grant_type: "refresh_token", client_id: "courses", refresh_token: token });
    auth0.giveRoles(id, ["reader"]);
    const second = tokensShape.parse(await (await refresh(first.refresh_token)).json());
    expect(decodeJwt(second.access_token)[CLAIM]).toEqual(["reader"]);
    const refused = { status: 403,
      body: { error: "invalid_grant", error_description: "Unknown or invalid refresh token." } };
    expect(await told(await refresh(first.refresh_token))).toEqual(refused);
    expect(await told(await refresh(second.refresh_token))).toEqual(refused);
  });

  it("and a session end when the Management API says so, and a new login has both again", async () => {
    const id = await signedUp();
    const { browser, back } = await loggedIn();
    const { refresh_token: token = "" } = await browser.tokens(back);
    const refresh = () => exchange({ grant_type: "refresh_token", client_id: "courses", refresh_token: token });
    const manage = { token: await tokenOf(auth0) };
    const user = `/api/v2/users/${encodeURIComponent(id)}`;
    expect((await rawCall(auth0, "DELETE", `${user}/sessions`, manage)).status).toBe(202);
    expect((await browser.authorize({ prompt: "none" })).searchParams.get("error")).toBe("login_required");
    expect((await rawCall(auth0, "DELETE", `${user}/refresh-tokens`, manage)).status).toBe(202);
    expect((await refresh()).status).toBe(403);
    expect((await rawCall(auth0, "DELETE", "/api/v2/users/auth0%7Cnobody/sessions", manage)).status).toBe(404);
    const again = await loggedIn();
    expect((await again.browser.authorize({ prompt: "none" })).searchParams.get("error")).toBeNull();
    expect(auth0.failures).toEqual([]);
  });

  it("is worth nothing once its user is deleted", async () => {
    const id = await signedUp();
    const { browser, back } = await loggedIn();
    const { refresh_token: token = "" } = await browser.tokens(back);
    auth0.removeUser(id);
    const answer = await exchange({ grant_type: "refresh_token", client_id: "courses", refresh_token: token });
    expect(answer.status).toBe(403);
  });

  it("goes to registered pages only: others get no leave to read the answer", async () => {
    const ask = async (origin: string) =>
      (await fetch(`${auth0.url}/oauth/token`, { method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" } })).headers.get("access-control-allow-origin");
    expect(await ask(ORIGIN)).toBe(ORIGIN);
    const answer = await fetch(`${auth0.url}/oauth/token`, { method: "POST",
      headers: { origin: "https://evil.example" },
      body: new URLSearchParams({ grant_type: "refresh_token", client_id: "courses", refresh_token: "x" }) });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: "invalid_request" });
  });
});

describe("without applications", () => {
  it("nobody logs in", async () => {
    const other = await startAuth0Emulator();
    expect((await fetch(`${other.url}/authorize`)).status).toBe(404);
    await other.stop();
  });
});
