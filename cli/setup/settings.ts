import { type Auth0Credentials, auth0SecretShape } from "../../src/auth0/secret.ts";
import { tenantAdmin, type TenantAdmin } from "../admin/tenant-admin.ts";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { LOCAL_CLIENT } from "../../local/known-values.ts";
import { ConfigError } from "../../src/errors.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { type ShopAdmin, shopAdmin } from "../admin/shop-admin.ts";
import { keptOf, type SecretValue } from "./values.ts";
import type { StoredSecret } from "../stage/secrets.ts";

import { type Checked, type Work, LIMIT_MS } from "./work.ts";
import { settled } from "./search.ts";

/**
 * Auth0's settings: as they are stored or given, or asked for until Auth0 takes them.
 * @throws {ConfigError} SETUP_INCOMPLETE
 */
export async function auth0Settings(
  { flags, context: { env, questions, output }, stage, stored }: Work,
): Promise<Checked<TenantAdmin>> {
  const tenant = stage.emulators?.auth0 ?? null;
  const emulated = tenant === null
    ? {}
    : { domain: tenant, client_id: LOCAL_CLIENT.id, client_secret: LOCAL_CLIENT.secret };
  const given = chosen({ domain: flags.auth0Domain ?? env["AUTH0_DOMAIN"],
    client_id: flags.auth0ClientId ?? env["AUTH0_CLIENT_ID"],
    client_secret: flags.auth0ClientSecret ?? env["AUTH0_CLIENT_SECRET"],
    connection: flags.auth0Connection ?? env["AUTH0_CONNECTION"],
    audience: flags.auth0Audience ?? env["AUTH0_AUDIENCE"],
    login_client_id: flags.auth0LoginClientId ?? env["AUTH0_LOGIN_CLIENT_ID"] });
  const ask = async (known: SecretValue): Promise<SecretValue> => {
    if (questions === null) return known;
    return { ...known, domain: await questions.ask("Auth0 domain, such as acme.eu.auth0.com", textOf(known["domain"])),
      client_id: await questions.ask("Auth0 client id of the machine-to-machine application",
        textOf(known["client_id"])),
      client_secret:
        (await questions.askSecret(
          `Auth0 client secret${known["client_secret"] === undefined ? "" : ", empty to keep it"}`,
        )) || known["client_secret"] };
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

/** The shop's, likewise. */
export async function gumroadSettings(
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
      : { ...known,
        access_token: (await questions.askSecret("Gumroad access token with the scope view_sales")) ||
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

/** Never in place of what somebody gave. */
function fallbackOf(stored: StoredSecret, emulated: SecretValue, given: SecretValue): SecretValue | null {
  return Object.keys(emulated).length > 0 && Object.keys(given).length === 0
    ? { ...keptOf(stored), ...emulated }
    : null;
}

/**
 * The shop's id where there is no token to ask with.
 * @throws {ConfigError} SETUP_INCOMPLETE
 */
export function givenSeller({ flags, stored }: Work): string {
  const id = flags.sellerId ?? textOf(keptOf(stored.ping)["seller_id"]);
  if (id === "") {
    throw new ConfigError("SETUP_INCOMPLETE",
      "without a Gumroad token the shop's seller_id is needed: --seller-id ID, as in any ping");
  }
  return id;
}

/**
 * The credentials in a secret's value.
 * @throws {ConfigError} SETUP_INCOMPLETE
 */
export function auth0Credentials(value: SecretValue): Auth0Credentials {
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
