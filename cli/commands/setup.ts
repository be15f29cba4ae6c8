import { isDeepStrictEqual } from "node:util";

import type { Command } from "commander";

import { roleNames } from "../../src/access/policy.ts";
import { scopesFor } from "../../tenant/scopes.ts";
import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { tenantAdmin, type TenantAdmin } from "../admin/tenant-admin.ts";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { LOCAL_CLIENT } from "../../local/stack.ts";
import { ConfigError, NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { type ShopAdmin, shopAdmin } from "../admin/shop-admin.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { DRY_RUN, examples } from "../help.ts";
import { NEEDS_ADMIN, operatorAdmin, type OperatorFlags, operatorOptions } from "../operator.ts";
import { pingUrl, withoutToken } from "../ping-url.ts";
import { completedAccounts, keptOf, type SecretValue, tokensOf } from "../setup/values.ts";
import type { Stage } from "../stage/stage.ts";
import { readStored, type SecretName, secretName, type StoredSecret, writeSecret } from "../stage/secrets.ts";
import { makeSteps, type Steps } from "../steps.ts";
import { planSubscriptions } from "../subscription-plan.ts";

interface Flags extends OperatorFlags {
  readonly auth0Domain?: string;
  readonly auth0ClientId?: string;
  readonly auth0ClientSecret?: string;
  readonly auth0Connection?: string;
  readonly auth0Audience?: string;
  readonly auth0LoginClientId?: string;
  readonly gumroadToken?: string;
  readonly gumroadApi?: string;
  /** False with --no-gumroad. */
  readonly gumroad: boolean;
  readonly sellerId?: string;
  readonly newPingToken?: true;
  readonly forgetOldPingTokens?: true;
  readonly dryRun?: true;
}

/** A service's settings as they are to be, checked against the service. */
interface Checked<Client> {
  readonly value: SecretValue;
  readonly client: Client;
}

/** All of one setup. */
interface Work {
  readonly flags: Flags;
  readonly context: Context;
  readonly stage: Stage;
  readonly steps: Steps;
  readonly stored: Readonly<Record<SecretName, StoredSecret>>;
}

const LIMIT_MS = 60_000;
/**
 * `ping` reads its secret again at most this often when a token is refused, see config/secret.ts; a second more to be
 * sure.
 */
const TOKEN_KNOWN_AFTER_MS = 11_000;
/** How often somebody may mistype. */
const ATTEMPTS = 3;

/** Adds `setup`. */
export function register(program: Command, context: Context): void {
  const command = program
    .command("setup")
    .summary("fills the secrets, creates roles, registers the pings")
    .description(
      "Makes a stage ready: fills its secrets (ping tokens and signing keys are made up), creates the policy's " +
        "roles in Auth0 and registers the eight events in Gumroad. Asks for what is missing. Run it as often as " +
        "you like: what is right already stays.",
    )
    .option("--auth0-domain <host>", "the tenant, such as acme.eu.auth0.com (or AUTH0_DOMAIN)")
    .option("--auth0-client-id <id>", "the service's machine-to-machine application (or AUTH0_CLIENT_ID)")
    .option("--auth0-client-secret <secret>", "its secret (or AUTH0_CLIENT_SECRET)")
    .option("--auth0-connection <name>", "the database connection for new users (or AUTH0_CONNECTION)")
    .option("--auth0-login-client-id <id>",
      "the application where buyers log in: invitations name it and lead there (or AUTH0_LOGIN_CLIENT_ID)")
    .option("--auth0-audience <url>", "with a custom domain: the Management API's own identifier (or AUTH0_AUDIENCE)")
    .option("--gumroad-token <token>", "an access token with the scope view_sales (or GUMROAD_ACCESS_TOKEN)")
    .option("--gumroad-api <url>", "where Gumroad's API is, if not at api.gumroad.com (or GUMROAD_API)")
    .option("--no-gumroad", "go without a Gumroad token: pings are trusted, lost ones not found; needs --seller-id")
    .option("--seller-id <id>", "with --no-gumroad: the shop's seller_id, as in any ping")
    .option("--new-ping-token", "put a new token first, and register the pings with it; the old ones are still taken")
    .option("--forget-old-ping-tokens", "take only the first token from now on")
    .option("--dry-run", DRY_RUN)
    .addHelpText(
      "after",
      examples(
        ["setup", "asks for what the local stage lacks (mostly nothing)"],
        ["setup --stage prod", "asks for what prod lacks"],
        ["setup --stage prod --dry-run", "only says what it would do"],
        ["setup --stage prod --new-ping-token", "begins to rotate the ping token"],
      ),
    );
  operatorOptions(command).action(context.action((flags: Flags) => setUp(flags, context)));
}

async function setUp(flags: Flags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const policy = await context.policy();
  const stage = await context.stage();
  const steps = makeSteps(output, flags.dryRun === true);
  const work: Work = { flags, context, stage, steps, stored: await readAll(stage) };

  // Everything is asked for and checked before anything is written.
  const auth0 = await auth0Settings(work);
  const gumroad = flags.gumroad ? await gumroadSettings(work) : null;
  const sellerId = gumroad === null ? givenSeller(work) : await gumroad.client.sellerId(AbortSignal.timeout(LIMIT_MS));
  const change = { renew: flags.newPingToken === true, forgetOld: flags.forgetOldPingTokens === true };
  const tokens = tokensOf(keptOf(work.stored.ping), change);

  await store(work, "ping", { ...keptOf(work.stored.ping), tokens, seller_id: sellerId });
  await store(work, "auth0", auth0.value);
  if (gumroad === null) steps.kept("secret gumroad", "left as it is: pings are trusted, lost ones are not found");
  else await store(work, "gumroad", { ...gumroad.value, seller_id: sellerId });
  await store(work, "accounts", await completedAccounts(keptOf(work.stored.accounts)));
  await store(work, "bind", { ...keptOf(work.stored.bind), tokens: tokensOf(keptOf(work.stored.bind)) });

  await setUpTenant(work, auth0Credentials(auth0.value), auth0.client, roleNames(policy));
  const url = pingUrl(stage, tokens[0]);
  if (gumroad === null) {
    steps.byHand("pings",
      "without a Gumroad token only sales can be told: refunds and ends of memberships never reach this service");
  } else {
    const isNew = work.stored.ping.state === "good" && !tokensOf(work.stored.ping.value).includes(tokens[0]);
    if (isNew && flags.dryRun !== true) await context.wait(TOKEN_KNOWN_AFTER_MS);
    await registerPings(work, gumroad.client, tokens, url);
  }

  output.say(`\nPing URL  ${url}`);
  output.say(
    gumroad === null
      ? "Paste it into Gumroad: Settings → Advanced → Ping."
      : "All eight events are sent there. Gumroad's own field (Settings → Advanced → Ping) may stay empty; with " +
        "the URL in it, sales are told twice, which does no harm.",
  );
  output.result({ stage: stage.name, dryRun: flags.dryRun === true, pingUrl: url, steps: steps.all });
  return steps.all.some(({ outcome }) => outcome === "by hand") ? EXIT.failed : EXIT.ok;
}

async function readAll(stage: Stage): Promise<Readonly<Record<SecretName, StoredSecret>>> {
  const [ping, auth0, gumroad, accounts, bind] = await Promise.all([
    readStored(stage, "ping"),
    readStored(stage, "auth0"),
    readStored(stage, "gumroad"),
    readStored(stage, "accounts"),
    readStored(stage, "bind"),
  ]);
  return { ping, auth0, gumroad, accounts, bind };
}

// ---- What is asked for
// --------------------------------------------------------------------------------------------------

async function auth0Settings(
  { flags, context: { env, questions, output }, stage, stored }: Work,
): Promise<Checked<TenantAdmin>> {
  const tenant = stage.emulators?.auth0 ?? null;
  const emulated = tenant === null
    ? {}
    : { domain: tenant, client_id: LOCAL_CLIENT.id, client_secret: LOCAL_CLIENT.secret };
  const given = chosen({
    domain: flags.auth0Domain ?? env["AUTH0_DOMAIN"],
    client_id: flags.auth0ClientId ?? env["AUTH0_CLIENT_ID"],
    client_secret: flags.auth0ClientSecret ?? env["AUTH0_CLIENT_SECRET"],
    connection: flags.auth0Connection ?? env["AUTH0_CONNECTION"],
    audience: flags.auth0Audience ?? env["AUTH0_AUDIENCE"],
    login_client_id: flags.auth0LoginClientId ?? env["AUTH0_LOGIN_CLIENT_ID"],
  });
  const ask = async (known: SecretValue): Promise<SecretValue> => {
    if (questions === null) return known;
    return {
      ...known,
      domain: await questions.ask("Auth0 domain, such as acme.eu.auth0.com", textOf(known["domain"])),
      client_id: await questions.ask("Auth0 client id of the machine-to-machine application",
        textOf(known["client_id"])),
      client_secret: (await questions.askSecret(
        `Auth0 client secret${known["client_secret"] === undefined ? "" : ", empty to keep it"}`,
      )) || known["client_secret"],
    };
  };
  const check = async (value: SecretValue): Promise<Checked<TenantAdmin>> => {
    const client = tenantAdmin(auth0Credentials(value));
    await client.scopes(AbortSignal.timeout(LIMIT_MS));
    return { value, client };
  };
  const missing = "Auth0's domain, client id and client secret are needed: --auth0-domain, --auth0-client-id and " +
    "--auth0-client-secret, or AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET";
  const complete = (value: SecretValue): boolean => auth0SecretShape.safeParse(value).success;
  return settled({ known: { ...emulated, ...keptOf(stored.auth0), ...given },
    fallback: fallbackOf(stored.auth0, emulated, given), ask, check, complete, missing, questions: questions !== null,
    say: output.say });
}

async function gumroadSettings(
  { flags, context: { env, questions, output }, stage, stored }: Work,
): Promise<Checked<ShopAdmin>> {
  const emulated = stage.emulators === null
    ? {}
    : { access_token: LOCAL_ACCESS_TOKEN, api: `${stage.emulators.gumroad}/v2` };
  const given = chosen({ access_token: flags.gumroadToken ?? env["GUMROAD_ACCESS_TOKEN"],
    api: flags.gumroadApi ?? env["GUMROAD_API"] });
  const ask = async (known: SecretValue): Promise<SecretValue> =>
    questions === null
      ? known
      : { ...known, access_token: (await questions.askSecret("Gumroad access token with the scope view_sales")) ||
        known["access_token"] };
  const check = async (value: SecretValue): Promise<Checked<ShopAdmin>> => {
    const client = shopAdmin(gumroadSecretShape.parse({ ...value, seller_id: "asked for next" }));
    // Names the shop with any token, and refuses one without view_sales.
    await client.sellerId(AbortSignal.timeout(LIMIT_MS));
    await client.subscriptions("sale", AbortSignal.timeout(LIMIT_MS));
    return { value, client };
  };
  const complete = (value: SecretValue): boolean =>
    gumroadSecretShape.safeParse({ ...value, seller_id: "asked for next" }).success;
  const missing =
    "a Gumroad access token is needed: --gumroad-token or GUMROAD_ACCESS_TOKEN; or go without: --no-gumroad " +
    "--seller-id ID";
  return settled({ known: { ...emulated, ...keptOf(stored.gumroad), ...given },
    fallback: fallbackOf(stored.gumroad, emulated, given), ask, check, complete, missing,
    questions: questions !== null, say: output.say });
}

/** How one service's settings are found. */
interface Search<Client> {
  readonly known: SecretValue;
  /** What the emulator takes, should the known be refused; null where there is none. */
  readonly fallback: SecretValue | null;
  readonly ask: (known: SecretValue) => Promise<SecretValue>;
  readonly check: (value: SecretValue) => Promise<Checked<Client>>;
  readonly complete: (value: SecretValue) => boolean;
  /** What to give, where nobody can be asked. */
  readonly missing: string;
  readonly questions: boolean;
  readonly say: (text: string) => void;
}

/** Asks until the service takes what it is given; where nobody can be asked, what is known must do. */
async function settled<Client>(
  { known, fallback, ask, check, complete, missing, questions, say }: Search<Client>,
): Promise<Checked<Client>> {
  let value = known;
  for (let attempt = 1;; attempt += 1) {
    if (!complete(value)) value = await ask(value);
    if (!complete(value)) throw new ConfigError("SETUP_INCOMPLETE", missing);
    try {
      return await check(value);
    } catch (error) {
      // Not to be reached, too: a domain can be mistyped.
      if (!(error instanceof NeedsPersonError || error instanceof TemporaryError)) throw error;
      if (attempt === 1 && fallback !== null) {
        value = fallback;
        continue;
      }
      if (!questions || attempt >= ATTEMPTS) throw error;
      say(error.message);
      value = await ask(value);
    }
  }
}

/** Never in place of what somebody gave. */
function fallbackOf(stored: StoredSecret, emulated: SecretValue, given: SecretValue): SecretValue | null {
  return Object.keys(emulated).length > 0 && Object.keys(given).length === 0
    ? { ...keptOf(stored), ...emulated }
    : null;
}

function givenSeller({ flags, stored }: Work): string {
  const id = flags.sellerId ?? textOf(keptOf(stored.ping)["seller_id"]);
  if (id === "") {
    throw new ConfigError("SETUP_INCOMPLETE",
      "without a Gumroad token the shop's seller_id is needed: --seller-id ID, as in any ping");
  }
  return id;
}

// ---- What is changed
// ----------------------------------------------------------------------------------------------------

/** Writes a secret if it isn't so already. Null: it can't be completed without losing something. */
async function store({ stage, steps, stored, context }: Work, name: SecretName,
  value: SecretValue | null): Promise<void> {
  const before = stored[name];
  const step = `secret ${name}`;
  if (before.state === "absent") {
    steps.byHand(step, `the stage has none: ${
      stage.emulators === null
        ? `npm run deploy -- --stage ${context.stageName()}`
        : "stop npm start and start it again"
    }, then this again`);
    return;
  }
  if (value === null) {
    steps.byHand(step,
      `${before.state === "broken" ? before.problem : "broken"}; completing it would lose keys: mend ${
        secretName(stage, name)
      } as docs/security.md shows`);
    return;
  }
  if (before.state === "good" && isDeepStrictEqual(before.value, value)) {
    steps.kept(step, "complete");
    return;
  }
  const changes = Object.keys(value).filter((key) => !isDeepStrictEqual(value[key], keptOf(before)[key]));
  await steps.change(step, `${before.state === "empty" ? "filled" : "changed"}: ${changes.join(", ")}`,
    () => writeSecret(stage, name, value));
}

async function setUpTenant(work: Work, service: Auth0Credentials, own: TenantAdmin,
  roles: readonly string[]): Promise<void> {
  const admin = operatorAdmin(work.flags, work.stage, work.context.env, service);
  await setScopes(work, service, own, admin);
  // Kept in app_metadata, roles are names and nothing else.
  if (work.stage.access === "roles") await createRoles(work, admin ?? own, roles);
  await enableConnection(work, service, admin);
}

async function setScopes({ stage, steps }: Work, service: Auth0Credentials, own: TenantAdmin,
  admin: TenantAdmin | null): Promise<void> {
  const step = "Auth0 scopes";
  const granted = await own.scopes(AbortSignal.timeout(LIMIT_MS));
  const needed = scopesFor(stage.access);
  const few = needed.filter((scope) => !granted.includes(scope));
  const many = granted.filter((scope) => !needed.includes(scope));
  if (few.length + many.length === 0) {
    steps.kept(step, "exactly those that are needed");
    return;
  }
  const change = [...(few.length === 0 ? [] : [`grant ${few.join(" ")}`]),
    ...(many.length === 0 ? [] : [`take ${many.join(" ")}`])].join("; ");
  const grant = (await admin?.grant(service.clientId, service.audience, AbortSignal.timeout(LIMIT_MS))) ?? null;
  if (admin === null || grant === null) {
    steps.byHand(step,
      `Auth0 → Applications → ${service.clientId} → APIs → Auth0 Management API: ${change}; or ${NEEDS_ADMIN}`);
    return;
  }
  await steps.change(step, change, () => admin.setScopes(grant.id, needed, AbortSignal.timeout(LIMIT_MS)));
}

async function createRoles({ steps }: Work, tenant: TenantAdmin, roles: readonly string[]): Promise<void> {
  let missing = roles;
  try {
    const there = await tenant.roleNames(AbortSignal.timeout(LIMIT_MS));
    missing = roles.filter((name) => !there.includes(name));
    if (missing.length < roles.length) {
      steps.kept("Auth0 roles", roles.filter((name) => there.includes(name)).join(", "));
    }
    for (const name of missing) {
      await steps.change(`Auth0 role ${name}`, "created", () =>
        tenant.createRole(name, AbortSignal.timeout(LIMIT_MS)));
      missing = missing.filter((other) => other !== name);
    }
  } catch (error) {
    if (!(error instanceof NeedsPersonError) || error.code !== "AUTH0_SCOPE") throw error;
    steps.byHand("Auth0 roles", `Auth0 → User Management → Roles: create ${missing.join(", ")}; or ${NEEDS_ADMIN}`);
  }
}

async function enableConnection({ stage, steps }: Work, service: Auth0Credentials,
  admin: TenantAdmin | null): Promise<void> {
  const name = stage.gettingIn === "passwordless" ? service.passwordlessConnection : service.connection;
  const step = `Auth0 connection ${name}`;
  if (admin === null) {
    steps.kept(step, `not looked at: ${NEEDS_ADMIN}`);
    return;
  }
  const connection = await admin.connection(name, service.clientId, AbortSignal.timeout(LIMIT_MS));
  if (connection === null) {
    steps.byHand(step, "there is none of this name: create the database, or name another with --auth0-connection");
  } else if (connection.enabled) steps.kept(step, "enabled for the service's application");
  else {await steps.change(step, "enabled for the service's application", () =>
      admin.enableConnection(connection.id, service.clientId, AbortSignal.timeout(LIMIT_MS)));}
}

async function registerPings({ stage, steps }: Work, shop: ShopAdmin, tokens: readonly [string, ...string[]],
  url: string): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  for (const { event, right, doubled, wrong, others } of await planSubscriptions(shop, stage, tokens, signal)) {
    const step = `pings of ${event}`;
    const current = right?.postUrl === url;
    if (current) steps.kept(step, "registered");
    else await steps.change(step, "registered", () => shop.subscribe(event, url, signal));
    // Removed once the new one is there, so that no ping is lost between.
    const stale = [...(current || right === null ? [] : [right]), ...doubled, ...wrong];
    for (const { id } of stale) {
      let removed = true;
      await steps.change(step, "an old registration removed", async () => {
        removed = await shop.unsubscribe(id, signal);
      });
      if (!removed) {
        steps.byHand(step,
          `the registration ${id} belongs to another application of yours: remove it with that one's token`);
      }
    }
    if (others.length > 0) {
      steps.kept(step, `not ours, left alone: ${others.map(({ postUrl }) => withoutToken(postUrl)).join(", ")}`);
    }
  }
}

// ---- Values
// ---------------------------------------------------------------------------------------------------------------

/** @throws {ConfigError} SETUP_INCOMPLETE */
function auth0Credentials(value: SecretValue): Auth0Credentials {
  const parsed = auth0SecretShape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConfigError("SETUP_INCOMPLETE",
    `${textOf(value["domain"])} is no host name, https URL, or http URL of this machine`);
}

/** Without what is not set. */
function chosen(values: Readonly<Record<string, string | undefined>>): SecretValue {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ""));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
