import type { IncomingMessage, ServerResponse } from "node:http";
import { parse, stringify } from "node:querystring";
import { Readable } from "node:stream";

import type { PageRequest } from "emulator-server/request-handler";
import { DEFAULT_CONNECTION, PASSWORDLESS_CONNECTION } from "../options.ts";
import { requireGoodPassword } from "../password-policy.ts";
import { RefusedCall } from "emulator-server/refused-call";
import type { Tenant } from "../tenant.ts";
import type { User } from "../user.ts";
import { homeOf, type LoginSettings } from "./application.ts";
import { fieldsOf } from "./json-body.ts";
import { inboxOf } from "./inbox.ts";
import type { Issuer } from "./issuer.ts";
import { choosePasswordPage, codePage, donePage, enterCodePage, forgottenPage, googlePage, inboxPage, loginPage,
  type LoginView, signUpPage } from "./pages.ts";

/** What the pages stand on. */
export interface LoginRoutesParts {
  readonly issuer: Issuer;
  readonly settings: LoginSettings;
  readonly tenant: () => Tenant;
  /** How logins ended that somebody may not have seen end, by their ids. */
  readonly ends: Map<string, LoginEnd>;
}

/** What leads back to the application: where, and the session's cookies. */
interface LoginEnd {
  readonly location: string;
  readonly "set-cookie": readonly string[];
}

const GOOGLE = "google-oauth2";
const WEAK = "The password is too weak.";
const WRONG = "Wrong email or password.";
const BLOCKED = "This account is blocked.";
const NO_EMAIL = "That is no email address.";
const LINK_USED = "This link was used before, or is too old. Ask for another mail where you log in.";
/** Paths that are the provider's own. */
const PROVIDER = /^\/(authorize(\/.*)?|oauth\/(token|revoke)|userinfo|oidc\/logout(\/.*)?|\.well-known\/.+)$/u;

/** Answers what a browser asks of a tenant. False: it is none of these, and the API may look at it. */
export async function answerPage(page: PageRequest, parts: LoginRoutesParts): Promise<boolean> {
  const { raw, response } = page;
  if (raw.path === "/userinfo" && raw.method !== "OPTIONS") {
    const claims = await parts.issuer.claimsByToken(raw.headers["authorization"] ?? "");
    if (claims !== null) {
      response.writeHead(200, { "content-type": "application/json", "access-control-allow-origin": "*" })
        .end(JSON.stringify(claims));
      return true;
    }
  }
  if (PROVIDER.test(raw.path)) {
    keepEnd(page, parts);
    parts.issuer.answer(unread(page), response);
    return true;
  }
  if (raw.path === "/v2/logout") return logOut(page, parts);
  if (raw.path === "/lo/reset") return resetPassword(page, parts);
  if (raw.path === "/u/email-verification") return verifyEmail(page, parts);
  if (raw.path === "/_emulator/inbox" && raw.method === "GET") {
    return html(response, inboxPage(inboxOf(parts.tenant())));
  }
  const [, base, step = ""] = /^(\/u\/[\w-]+)(?:\/([a-z-]+))?$/u.exec(raw.path) ?? [];
  return base === undefined ? false : loginStep(page, parts, base, step);
}

/** A browser that sends a form twice drops the first answer, and with it what the login came to. */
function keepEnd({ raw, response }: PageRequest, { ends }: LoginRoutesParts): void {
  const [, id] = /^\/authorize\/([\w-]+)$/u.exec(raw.path) ?? [];
  if (id === undefined) return;
  response.on("close", () => {
    const location = response.getHeader("location");
    if (typeof location !== "string") return;
    ends.set(id, { location, "set-cookie": [response.getHeader("set-cookie") ?? []].flat().map(String) });
  });
}

/** The request as it was before its body was read. Auth0 takes JSON as well as a form. */
function unread({ raw, request }: PageRequest): IncomingMessage {
  const isJson = raw.contentType === "application/json";
  const body = Buffer.from(isJson ? stringify(textsOf(fieldsOf(raw.body))) : raw.body);
  const headers = isJson
    ? { ...request.headers, "content-type": "application/x-www-form-urlencoded",
      "content-length": String(body.length) }
    : request.headers;
  const again: IncomingMessage = Object.create(request, { headers: { value: headers }, readable: { value: true },
    iterator: { value: () => Readable.from([body]) } });
  return again;
}

function textsOf(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}

/** One step of a login: its page, or what came of its form. */
async function loginStep(page: PageRequest, parts: LoginRoutesParts, base: string, step: string): Promise<boolean> {
  const { raw, request, response } = page;
  const details = await parts.issuer.provider.interactionDetails(request, response).catch(() => null);
  if (details === null) {
    const id = base.slice("/u/".length);
    const end = raw.method === "POST" ? parts.ends.get(id) : undefined;
    if (end !== undefined) {
      parts.ends.delete(id);
      response.writeHead(303, { location: end.location, "set-cookie": [...end["set-cookie"]] }).end();
      return true;
    }
    return html(response,
      donePage("Too late", "This login is over. Start again where you came from.",
        nextOf(parts.settings, undefined, undefined)), 400);
  }
  const { params } = details;
  const form = raw.method === "POST" ? parse(raw.body) : {};
  const application = parts.settings.applications.find(({ clientId }) => clientId === params["client_id"]);
  const view: LoginView = { base, application: application?.name ?? "the application",
    email: textOf(form["email"]) || (raw.query.get("email") ?? textOf(params["login_hint"])), fault: null };
  if (raw.method === "POST" && step === "sign-up" && (view.email === "" || typed(form["password"]) === "")) {
    // The login page's button, pressed before anything was typed.
    response.writeHead(303, { location: `${base}/sign-up?${stringify({ email: view.email })}` }).end();
    return true;
  }
  const outcome = raw.method === "POST"
    ? submitted(step, { view, password: typed(form["password"]), code: textOf(form["code"]),
      verified: form["verified"] === "yes", clientId: textOf(params["client_id"]) }, parts.tenant())
    : shown(step === "" ? firstStep(params) : step, view);
  if (typeof outcome === "string") return html(response, outcome);
  parts.tenant().users.loggedIn(outcome);
  await parts.issuer.provider.interactionFinished(request, response, { login: { accountId: outcome.id } }, {
    mergeWithLastSubmission: false,
  });
  return true;
}

/** Where a login begins, by what the application asked for. */
function firstStep(params: Readonly<Record<string, unknown>>): string {
  if (params["connection"] === GOOGLE) return "google";
  if (params["connection"] === PASSWORDLESS_CONNECTION) return "code";
  return params["screen_hint"] === "signup" ? "sign-up" : "login";
}

function shown(step: string, view: LoginView): string {
  switch (step) {
    case "google":
      return googlePage(view);
    case "code":
      return codePage(view);
    case "sign-up":
      return signUpPage(view);
    case "forgotten":
      return forgottenPage(view);
    default:
      return loginPage(view);
  }
}

interface Submission {
  readonly view: LoginView;
  readonly password: string;
  readonly code: string;
  readonly verified: boolean;
  readonly clientId: string;
}

/** Who logged in, or the page that comes next. */
function submitted(step: string, { view, password, code, verified, clientId }: Submission, tenant: Tenant):
  | User
  | string {
  const { email } = view;
  const isEmail = email.includes("@");
  switch (step) {
    case "sign-up":
      if (!isEmail) return signUpPage({ ...view, fault: NO_EMAIL });
      return signUp(view, password, tenant);
    case "google":
      if (!isEmail) return googlePage({ ...view, fault: NO_EMAIL });
      return allowed(social(email, verified, tenant), googlePage, view);
    case "code":
      if (!isEmail) return codePage({ ...view, fault: NO_EMAIL });
      tenant.mailCode(email);
      return enterCodePage(view);
    case "enter-code":
      if (!tenant.takeCode(email, code)) return enterCodePage({ ...view, fault: "That is not the code." });
      return allowed(passwordless(email, tenant), codePage, view);
    case "forgotten":
      // Nobody is told whether there is such a user.
      tenant.mailPasswordChange({ email, connection: DEFAULT_CONNECTION, client_id: clientId });
      return donePage("Look into your inbox", `If ${email} has an account, a mail is on its way.`, null);
    default:
      return allowed(tenant.users.byPassword(email, password), loginPage, view);
  }
}

function allowed(user: User | undefined, again: (view: LoginView) => string, view: LoginView): User | string {
  if (user === undefined) return again({ ...view, fault: WRONG });
  return user.blocked === true ? again({ ...view, fault: BLOCKED }) : user;
}

function signUp(view: LoginView, password: string, tenant: Tenant): User | string {
  try {
    return tenant.createUser({ connection: DEFAULT_CONNECTION, email: view.email, password, verify_email: true });
  } catch (error) {
    if (!(error instanceof RefusedCall)) throw error;
    const fault = error.answer.status === 409 ? "Something went wrong. Perhaps you have an account already?" : WEAK;
    return signUpPage({ ...view, fault });
  }
}

/** Who Google says it is: a user of its connection, made at the first login. */
function social(email: string, verified: boolean, { users }: Tenant): User {
  const connection = users.connection(GOOGLE) ?? users.addConnection({ name: GOOGLE, strategy: GOOGLE });
  const known = users.byEmail(email).find((user) => user.connection.name === GOOGLE);
  const user = known ?? users.add({ connection, email, emailVerified: verified });
  user.emailVerified = verified;
  return user;
}

function passwordless(email: string, { users }: Tenant): User {
  const name = PASSWORDLESS_CONNECTION;
  const connection = users.connection(name) ?? users.addConnection({ name, strategy: "email" });
  const known = users.byEmail(email.toLowerCase()).find((user) => user.connection.name === name);
  const user = known ?? users.add({ connection, email, emailVerified: true });
  user.emailVerified = true;
  return user;
}

/** The link in a mail for a password. Whoever follows it reads that inbox: the address is verified. */
function resetPassword({ raw, response }: PageRequest, { tenant, settings }: LoginRoutesParts): boolean {
  const form = raw.method === "POST" ? parse(raw.body) : {};
  const ticket = textOf(form["ticket"]) || (raw.query.get("ticket") ?? "");
  const { links, users } = tenant();
  const link = links.find(ticket, "password");
  const user = users.all().find(({ id }) => id === link?.userId);
  if (link === undefined || user?.email === undefined) {
    return html(response, donePage("Too late", LINK_USED, nextOf(settings, undefined, undefined)), 400);
  }
  if (raw.method !== "POST") return html(response, choosePasswordPage(ticket, user.email, null));
  const password = typed(form["password"]);
  try {
    requireGoodPassword(password);
  } catch {
    return html(response, choosePasswordPage(ticket, user.email, WEAK));
  }
  users.update(user.id, { password });
  user.emailVerified = true;
  links.use(ticket);
  return html(response,
    donePage("Your password is set", "Log in with it.", nextOf(settings, link.clientId, link.resultUrl)));
}

/** The link in a verification mail. */
function verifyEmail({ raw, response }: PageRequest, { tenant, settings }: LoginRoutesParts): boolean {
  const ticket = raw.query.get("ticket") ?? "";
  const { links, users } = tenant();
  const link = links.find(ticket, "verify");
  const user = users.all().find(({ id }) => id === link?.userId);
  if (link === undefined || user === undefined) {
    return html(response, donePage("Too late", LINK_USED, nextOf(settings, undefined, undefined)), 400);
  }
  user.emailVerified = true;
  links.use(ticket);
  return html(response, donePage("Your email is verified", "Log in again.", nextOf(settings, undefined, undefined)));
}

/** Ends the session, and leads back to where the application wants, if that is registered. */
async function logOut({ raw, request, response }: PageRequest,
  { issuer: { provider }, settings }: LoginRoutesParts): Promise<boolean> {
  const returnTo = raw.query.get("returnTo");
  const clientId = raw.query.get("client_id");
  const isRegistered = settings.applications.some((application) =>
    (clientId === null || application.clientId === clientId) && application.logoutUrls.includes(returnTo ?? "")
  );
  if (returnTo !== null && !isRegistered) {
    return html(response,
      donePage("Oops, something went wrong",
        `The "returnTo" querystring parameter "${returnTo}" is not defined as a valid URL in "Allowed Logout URLs"`,
        null), 400);
  }
  const session = await provider.Session.get(provider.createContext(request, response));
  await session.destroy();
  response.setHeader("set-cookie", ["auth0=; path=/; max-age=0", "auth0.sig=; path=/; max-age=0"]);
  if (returnTo === null) return html(response, donePage("You are logged out", "", null));
  response.writeHead(302, { location: returnTo }).end();
  return true;
}

function nextOf({ applications }: LoginSettings, clientId: string | undefined, resultUrl: string | undefined) {
  const application = applications.find((one) => one.clientId === clientId) ?? applications[0];
  const url = resultUrl ?? (application === undefined ? undefined : homeOf(application));
  return url === undefined ? null : { url, name: application?.name ?? "the application" };
}

/** A password may begin or end with a space. */
function typed(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textOf(value: unknown): string {
  return typed(value).trim();
}

function html(response: ServerResponse, body: string, status = 200): boolean {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
  response.writeHead(status, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store",
    "content-security-policy": policy, "referrer-policy": "no-referrer" }).end(body);
  return true;
}
