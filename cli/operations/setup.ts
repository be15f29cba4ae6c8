import { LOCAL_CLIENT } from "../../local/known-values.ts";
import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { ConfigError } from "../../src/errors.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { roleNames } from "../../tenant/role-names.ts";
import { type ShopAdmin, shopAdmin } from "../admin/shop-admin.ts";
import { type TenantAdmin, tenantAdmin } from "../admin/tenant-admin.ts";
import { pingUrl } from "../pings/ping-url.ts";
import { registerPings } from "../setup/pings.ts";
import { store } from "../setup/secret.ts";
import { setUpTenant } from "../setup/tenant.ts";
import { completedAccounts, keptOf, type SecretValue, type TokenChange, tokensOf } from "../setup/values.ts";
import { LIMIT_MS, type Work } from "../setup/work.ts";
import { emulatedShop } from "../shop/shop-of.ts";
import type { OperatorApplication } from "../stage/operator.ts";
import { readStored, type SecretName, type StoredSecret } from "../stage/secrets.ts";
import type { Stage } from "../stage/stage.ts";
import type { Operating } from "./operating.ts";
import { makeSteps, type Step } from "./steps.ts";

/** One service's settings as they are before anybody is asked. */
export interface KnownSettings {
  /** Those that are stored, under those that somebody gives. */
  readonly known: SecretValue;
  /** What the emulator takes, should the known be refused; null where there is none. */
  readonly fallback: SecretValue | null;
}

/** What is known of a stage before it is set up. */
export interface SetupState {
  readonly stored: Readonly<Record<SecretName, StoredSecret>>;
  readonly auth0: KnownSettings;
  readonly gumroad: KnownSettings;
  /** The shop's id as it is stored; empty: it isn't. */
  readonly sellerId: string;
}

/** What a stage is to be like. */
export interface SetupRequest {
  readonly state: SetupState;
  readonly auth0: SecretValue;
  /** Null: it goes without. */
  readonly gumroad: SecretValue | null;
  readonly sellerId: string;
  readonly operator: OperatorApplication;
  readonly tokens: TokenChange;
  readonly opensLogin: boolean;
  readonly dryRun: boolean;
}

/** What came of it. */
export interface SetupReport {
  readonly stage: string;
  readonly pingUrl: string;
  /** Whether purchases are read back: a token is there. */
  readonly readsBack: boolean;
  readonly steps: readonly Step[];
}

/**
 * `ping` reads its secret again at most this often when a token is refused, see config/secret.ts; a second more to be
 * sure.
 */
const TOKEN_KNOWN_AFTER_MS = 11_000;

/** Reads what is stored, and lays over it what somebody gives. Throws as `readStored`. */
export async function setupState(given: { readonly auth0: SecretValue; readonly gumroad: SecretValue },
  { stage }: Pick<Operating, "stage">): Promise<SetupState> {
  const stored = await readAll(stage);
  const auth0 = stage.emulators?.auth0 ?? null;
  const { seller_id: sellerId } = keptOf(stored.ping);
  return { stored, sellerId: typeof sellerId === "string" ? sellerId : "",
    auth0: knownOf(stored.auth0, given.auth0,
      auth0 === null ? {} : { domain: auth0, client_id: LOCAL_CLIENT.id, client_secret: LOCAL_CLIENT.secret }),
    gumroad: knownOf(stored.gumroad, given.gumroad, emulatedShop(stage)) };
}

/** Never the emulator's in place of what somebody gave. */
function knownOf(stored: StoredSecret, given: SecretValue, emulated: SecretValue): KnownSettings {
  const isTried = Object.keys(emulated).length > 0 && Object.keys(given).length === 0;
  return { known: { ...emulated, ...keptOf(stored), ...given },
    fallback: isTried ? { ...keptOf(stored), ...emulated } : null };
}

/** Whether Auth0's settings are all there, whoever's they are. */
export function isAuth0Complete(value: SecretValue): boolean {
  return auth0SecretShape.safeParse(value).success;
}

/** Whether Gumroad's are, but for the shop's id, which is asked for with them. */
export function isGumroadComplete(value: SecretValue): boolean {
  return gumroadSecretShape.safeParse({ ...value, seller_id: "asked for next" }).success;
}

/** Asks Auth0 whether it takes these settings. Throws as `TenantAdmin`. */
export async function checkAuth0(value: SecretValue): Promise<void> {
  await tenantOf(value).client.scopes(AbortSignal.timeout(LIMIT_MS));
}

/** Asks Gumroad whether it takes these settings; gives the shop's id. Throws as `ShopAdmin`. */
export async function checkGumroad(value: SecretValue): Promise<string> {
  const client = shopWith(value);
  // Names the shop with any token, and refuses one without view_sales.
  const sellerId = await client.sellerId(AbortSignal.timeout(LIMIT_MS));
  await client.subscriptions("sale", AbortSignal.timeout(LIMIT_MS));
  return sellerId;
}

/**
 * Makes a stage ready: fills its secrets, sets up the tenant, registers the pings. Each step is told as it is done.
 * @throws {ConfigError} POLICY_INVALID, BAD_SETTING
 */
export async function setUp(request: SetupRequest, told: (step: Step) => void,
  { stage, policy, wait }: Operating): Promise<SetupReport> {
  const { state: { stored }, gumroad, sellerId, dryRun } = request;
  const roles = roleNames(await policy());
  const steps = makeSteps(told, dryRun);
  const work: Work = { stage, steps, stored, operator: request.operator };
  const tokens = tokensOf(keptOf(stored.ping), request.tokens);

  await store(work, "ping", { ...keptOf(stored.ping), tokens, seller_id: sellerId });
  await store(work, "auth0", request.auth0);
  // Left as it is, a token in it goes on being used.
  const stillReads = gumroad === null && stored.gumroad.state === "good";
  if (gumroad === null) {
    steps.kept("secret gumroad", stillReads
      ? "left as it is: it holds a token, so purchases go on being read back with that; empty it to trust pings"
      : "left as it is: pings are trusted, lost ones are not found");
  } else await store(work, "gumroad", { ...gumroad, seller_id: sellerId });
  if (request.opensLogin) await store(work, "accounts", await completedAccounts(keptOf(stored.accounts)));
  else steps.kept("secret accounts", "left empty: the self-built login is off");
  await store(work, "bind", { ...keptOf(stored.bind), tokens: tokensOf(keptOf(stored.bind)) });

  const { credentials, client } = tenantOf(request.auth0);
  await setUpTenant(work, credentials, client, roles);
  const url = pingUrl(stage, tokens[0]);
  if (stillReads) steps.kept("pings", "left as they are registered");
  else if (gumroad === null) {
    steps.byHand("pings",
      "without a Gumroad token only sales can be told: refunds and ends of memberships never reach this service");
  } else {
    const isNew = stored.ping.state === "good" && !tokensOf(stored.ping.value).includes(tokens[0]);
    if (isNew && !dryRun) await wait(TOKEN_KNOWN_AFTER_MS);
    await registerPings(work, shopWith(gumroad), tokens, url);
  }
  return { stage: stage.name, pingUrl: url, readsBack: gumroad !== null || stillReads, steps: steps.all };
}

function tenantOf(value: SecretValue): { readonly credentials: Auth0Credentials; readonly client: TenantAdmin } {
  const { data: credentials } = auth0SecretShape.safeParse(value);
  if (credentials === undefined) {
    throw new ConfigError("SETUP_INCOMPLETE",
      `${String(value["domain"])} is no host name, https URL, or http URL of this machine`);
  }
  return { credentials, client: tenantAdmin(credentials) };
}

function shopWith(value: SecretValue): ShopAdmin {
  return shopAdmin(gumroadSecretShape.parse({ ...value, seller_id: "asked for next" }));
}

async function readAll(stage: Stage): Promise<SetupState["stored"]> {
  const [ping, auth0, gumroad, accounts, bind] = await Promise.all([
    readStored(stage, "ping"),
    readStored(stage, "auth0"),
    readStored(stage, "gumroad"),
    readStored(stage, "accounts"),
    readStored(stage, "bind"),
  ]);
  return { ping, auth0, gumroad, accounts, bind };
}
