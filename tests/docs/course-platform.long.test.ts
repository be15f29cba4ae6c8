/** The snippets of docs/course-platform.md: each is compiled, and run with tokens of the emulated Auth0. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Auth0Emulator, startAuth0Emulator } from "auth0-emulator";
import { close, listen } from "emulator-server/json-server";
import { build } from "esbuild";
import * as z from "zod";

import { projectRoot } from "../../scripts/project-root.ts";
import { compiledAction } from "../../scripts/tenant-build.ts";

const run = promisify(execFile);
const CALLBACK = "http://127.0.0.1:3000/courses/";
const AUDIENCE = "https://api.example.com";
const NEXTJS = path.join(projectRoot, "examples/nextjs");
/** Below the project, so that the snippets find its libraries. */
const FOLDER = path.join(projectRoot, ".build/docs");

/** What libraries of the older kind find there in Next.js's own bundles, too. */
const COMMON_JS = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url); ' +
  "const __dirname = import.meta.dirname;";

const snippets = [...readFileSync(path.join(projectRoot, "docs/course-platform.md"), "utf8")
  .matchAll(/^```ts (\w+)\n(.*?)^```$/gms)].map(([, name = "", code = ""]) => ({ name, code }));
const snippetOf = (name: string): string => {
  const found = snippets.filter((snippet) => snippet.name === name).map(({ code }) => code);
  if (found.length === 0) throw new Error(`the page has no snippet "${name}"`);
  return found.join("\n");
};

let auth0: Auth0Emulator;
/** Of somebody who bought the handbook, and of somebody who bought nothing. */
let reader: string;
let visitor: string;

beforeAll(async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  auth0 = await startAuth0Emulator({ roles: ["serverless-handbook"],
    login: {
      applications: [{ clientId: "courses", name: "Courses", callbacks: [CALLBACK], logoutUrls: [CALLBACK],
        origins: ["http://127.0.0.1:3000"] }],
      apis: [{ identifier: AUDIENCE, tokenSeconds: 600 }],
      actions: [{ name: "roles", code: await compiledAction(), secrets: { ROLES_CLAIM: `${AUDIENCE}/roles` } }],
    } });
  auth0.addUser({ email: "ann@example.com", verified: true, connection: "google-oauth2",
    roles: ["serverless-handbook"] });
  [reader, visitor] = [await accessTokenOf("ann@example.com"), await accessTokenOf("may@example.com")];
  process.env["AUTH0_ISSUER"] = `${auth0.url}/`;
  process.env["AUTH0_AUDIENCE"] = AUDIENCE;
});
afterAll(async () => auth0.stop());

/** The access token that somebody's browser gets who continues with Google. */
async function accessTokenOf(email: string): Promise<string> {
  const cookies = new Map<string, string>();
  const open = async (address: string, form?: Readonly<Record<string, string>>): Promise<URL> => {
    const response = await fetch(new URL(address, auth0.url), { redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) }) });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return new URL(response.headers.get("location") ?? "about:blank", auth0.url);
  };
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({ client_id: "courses", response_type: "code", redirect_uri: CALLBACK,
    scope: "openid profile email", audience: AUDIENCE, state: "s", code_challenge_method: "S256",
    code_challenge: createHash("sha256").update(verifier).digest("base64url") });
  const page = await open(`/authorize?${query.toString()}`);
  const back = await open((await open(`${page.pathname}/google`, { email, verified: "yes" })).href);
  const answer = await fetch(`${auth0.url}/oauth/token`, { method: "POST",
    body: new URLSearchParams({ grant_type: "authorization_code", client_id: "courses", code_verifier: verifier,
      redirect_uri: CALLBACK, code: back.searchParams.get("code") ?? "" }) });
  return z.object({ access_token: z.string() }).parse(await answer.json()).access_token;
}

/** What a snippet exports, once it was type-checked. */
async function load(name: string, folder: string, config: object): Promise<unknown> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.ts`), snippetOf(name));
  const project = path.join(folder, `tsconfig.${name}.json`);
  writeFileSync(project, JSON.stringify({ ...config, files: [`${name}.ts`], include: [] }));
  const { stdout } = await run(process.execPath, [path.join(projectRoot, "node_modules/typescript/bin/tsc"), "-p",
    project]).catch((error: unknown) => z.object({ stdout: z.string() }).parse(error));
  expect(stdout).toBe("");
  const outfile = path.join(folder, `${name}.mjs`);
  await build({ entryPoints: [path.join(folder, `${name}.ts`)], outfile, bundle: true, platform: "node", format: "esm",
    target: "node24", logLevel: "silent", banner: { js: COMMON_JS } });
  return import(outfile);
}

const ofProject = { extends: path.join(projectRoot, "tsconfig.json") };
const ofPages = { extends: path.join(projectRoot, "examples/course-platform/tsconfig.json") };

const appShape = z.custom<RequestListener>((value) => typeof value === "function");

describe("the snippet for Express", () => {
  it("lets in whoever has the role, and nobody else", async () => {
    const { app } = z.object({ app: appShape }).parse(await load("express", FOLDER, ofProject));
    const server = createServer(app);
    const url = await listen(server, 0);
    const get = async (token: string | null) =>
      (await fetch(`${url}/lessons/handbook`, token === null ? {} : { headers: { authorization: `Bearer ${token}` } }))
        .status;
    const [head = "", , signature = ""] = reader.split(".");
    const forged = [head, visitor.split(".")[1], signature].join(".");
    const [none] = [[Buffer.from('{"alg":"none"}').toString("base64url"), reader.split(".")[1], ""].join(".")];

    expect(await Promise.all([reader, visitor, null, "nonsense", forged, none].map(get))).toEqual([200, 403, 401, 401,
      401, 401]);
    await close(server);
  });

  it("sends nobody to log in again because Auth0's keys can't be fetched", async () => {
    const away = createServer((_request, response) => response.writeHead(503).end());
    process.env["AUTH0_ISSUER"] = `${await listen(away, 0)}/`;
    const { app } = z.object({ app: appShape }).parse(await load("express", path.join(FOLDER, "away"), ofProject));
    const server = createServer(app);
    const url = await listen(server, 0);
    expect((await fetch(`${url}/lessons/handbook`, { headers: { authorization: `Bearer ${reader}` } })).status).toBe(
      500,
    );
    process.env["AUTH0_ISSUER"] = `${auth0.url}/`;
    await Promise.all([close(server), close(away)]);
  });
});

describe("the snippet for the browser", () => {
  it("reads the roles of a token, and what was lost since", async () => {
    const { rolesIn, lostSince } = z.object({
      rolesIn: z.custom<(token: string, claim: string) => unknown>((value) => typeof value === "function"),
      lostSince: z.custom<(seen: string[], now: string[]) => unknown>((value) => typeof value === "function"),
    }).parse(await load("browser", FOLDER, ofPages));
    expect(rolesIn(reader, `${AUDIENCE}/roles`)).toEqual(["serverless-handbook"]);
    expect(rolesIn(visitor, `${AUDIENCE}/roles`)).toEqual([]);
    expect(rolesIn(visitor, `${AUDIENCE}/none`)).toEqual([]);
    expect(lostSince(["club", "reader"], ["reader"])).toEqual(["club"]);
  });
});

describe("the snippet for Next.js", () => {
  type Asked = (request: Request) => Promise<Response>;
  const secret = randomBytes(32).toString("hex");
  const ownFetch = globalThis.fetch;
  /** What the tenant answers to a refresh token: the library takes no address with a port, such as the double's. */
  let refreshed = { status: 503, body: {} };
  let ask: Asked;
  let parts: Awaited<ReturnType<typeof nextParts>>;

  beforeAll(async () => {
    if (!existsSync(path.join(NEXTJS, "node_modules/next"))) {
      await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: NEXTJS });
    }
    Object.assign(process.env, { AUTH0_DOMAIN: "tenant.example.com", AUTH0_CLIENT_ID: "courses",
      AUTH0_CLIENT_SECRET: "secret", AUTH0_SECRET: secret, APP_BASE_URL: "http://127.0.0.1:3000" });
    // The library keeps the fetch that it finds when it is loaded.
    globalThis.fetch = (input, init) => {
      const { hostname, origin, pathname } = new URL(input instanceof Request ? input.url : input);
      if (hostname !== "tenant.example.com") return ownFetch(input, init);
      return Promise.resolve(
        pathname === "/oauth/token"
          ? Response.json(refreshed.body, { status: refreshed.status })
          : Response.json({ issuer: `${origin}/`, token_endpoint: `${origin}/oauth/token` }),
      );
    };
    ask = z.object({ GET: z.custom<Asked>((value) => typeof value === "function") })
      .parse(await load("nextjs", path.join(NEXTJS, ".docs"), { extends: path.join(NEXTJS, "tsconfig.json") })).GET;
    parts = await nextParts();
  });
  afterAll(() => {
    globalThis.fetch = ownFetch;
  });

  /** What the route answers to a session with this token, which ends so many seconds from now. */
  async function get(accessToken: string, seconds = 600, refreshToken?: string): Promise<number> {
    const now = Math.floor(Date.now() / 1_000);
    const session = await parts.generateSessionCookie({ user: { sub: "google-oauth2|1" },
      tokenSet: { accessToken, expiresAt: now + seconds, audience: AUDIENCE, scope: "openid profile email",
        ...(refreshToken === undefined ? {} : { refreshToken }) }, internal: { sid: "1", createdAt: now } }, {
      secret,
    });
    return await askWith(`__session=${session}`);
  }
  const askWith = async (cookie: string): Promise<number> =>
    (await ask(new parts.NextRequest("http://127.0.0.1:3000/api/lesson", { headers: { cookie } }))).status;

  it("lets in whoever has the role, and nobody else", async () => {
    expect([await get(reader), await get(visitor), await askWith("")]).toEqual([200, 403, 401]);
  });

  it("asks to log in again once the session was ended", async () => {
    expect(await get(reader, -1)).toBe(401);
    refreshed = { status: 403,
      body: { error: "invalid_grant", error_description: "Unknown or invalid refresh token." } };
    expect(await get(reader, -1, "ended")).toBe(401);
  });

  it("sends nobody to log in again because Auth0 fails", async () => {
    refreshed = { status: 503, body: {} };
    await expect(get(reader, -1, "good")).rejects.toThrow("refresh");
  });

  /** What stands in for Next.js's own server and a browser's cookies. */
  async function nextParts() {
    const code = 'export { generateSessionCookie } from "@auth0/nextjs-auth0/testing";\n' +
      'export { NextRequest } from "next/server";\n';
    const outfile = path.join(NEXTJS, ".docs/parts.mjs");
    await build({ stdin: { contents: code, resolveDir: NEXTJS }, outfile, bundle: true, platform: "node",
      format: "esm", target: "node24", logLevel: "silent", banner: { js: COMMON_JS } });
    type Session = (session: object, config: { secret: string }) => Promise<string>;
    type NewRequest = new(url: string, init: RequestInit) => Request;
    return z.object({ generateSessionCookie: z.custom<Session>((value) => typeof value === "function"),
      NextRequest: z.custom<NewRequest>((value) => typeof value === "function") }).parse(await import(outfile));
  }
});
