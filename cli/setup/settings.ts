import type { Context } from "../context.ts";
import { checkAuth0, checkGumroad, isAuth0Complete, isGumroadComplete, type SetupState } from "../operations/setup.ts";
import type { SetupFlags } from "./setup.ts";
import { settled } from "./search.ts";
import type { SecretValue } from "./values.ts";

/** What flags and the environment say of both services. */
export function givenSettings(flags: SetupFlags,
  env: NodeJS.ProcessEnv): { readonly auth0: SecretValue; readonly gumroad: SecretValue } {
  return {
    auth0: chosen({ domain: flags.auth0Domain ?? env["AUTH0_DOMAIN"],
      client_id: flags.auth0ClientId ?? env["AUTH0_CLIENT_ID"],
      client_secret: flags.auth0ClientSecret ?? env["AUTH0_CLIENT_SECRET"],
      connection: flags.auth0Connection ?? env["AUTH0_CONNECTION"],
      audience: flags.auth0Audience ?? env["AUTH0_AUDIENCE"],
      login_client_id: flags.auth0LoginClientId ?? env["AUTH0_LOGIN_CLIENT_ID"] }),
    gumroad: chosen({ access_token: flags.gumroadToken ?? env["GUMROAD_ACCESS_TOKEN"],
      api: flags.gumroadApi ?? env["GUMROAD_API"] }),
  };
}

/**
 * Auth0's settings: as they are stored or given, or asked for until Auth0 takes them.
 * @throws {ConfigError} SETUP_INCOMPLETE
 */
export async function auth0Settings({ auth0 }: SetupState, { questions, output }: Context): Promise<SecretValue> {
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
  const missing = "Auth0's domain, client id and client secret are needed: --auth0-domain, --auth0-client-id and " +
    "--auth0-client-secret, or AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET";
  return (await settled({ ...auth0, ask, check: checkAuth0, complete: isAuth0Complete, missing,
    questions: questions !== null, say: output.say })).value;
}

/** The shop's, likewise, with its id. */
export async function gumroadSettings({ gumroad }: SetupState,
  { questions, output }: Context): Promise<{ readonly value: SecretValue; readonly sellerId: string }> {
  const ask = async (known: SecretValue): Promise<SecretValue> =>
    questions === null
      ? known
      : { ...known,
        access_token: (await questions.askSecret("Gumroad access token with the scope view_sales")) ||
          known["access_token"] };
  const missing =
    "a Gumroad access token is needed: --gumroad-token or GUMROAD_ACCESS_TOKEN; or go without: --no-gumroad " +
    "--seller-id ID";
  const { value, checked } = await settled({ ...gumroad, ask, check: checkGumroad, complete: isGumroadComplete,
    missing, questions: questions !== null, say: output.say });
  return { value, sellerId: checked };
}

/** Without what is not set. */
function chosen(values: Readonly<Record<string, string | undefined>>): SecretValue {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ""));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
