import { ConfigError } from "../../src/errors.ts";
import { type OperatorFlags, operatorOf } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { setUp, setupState, type SetupState } from "../operations/setup.ts";
import { stepSaid } from "../terminal/steps.ts";
import { auth0Settings, givenSettings, gumroadSettings } from "./settings.ts";

/** The flags of `setup`, as commander gives them. */
export interface SetupFlags extends OperatorFlags {
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
  readonly selfBuiltLogin?: true;
  readonly newPingToken?: true;
  readonly forgetOldPingTokens?: true;
  readonly dryRun?: true;
}

/** Makes a stage ready, once everything was asked for and checked. */
export async function setup(flags: SetupFlags, context: Context): Promise<ExitCode> {
  const { output, env, questions } = context;
  const dryRun = flags.dryRun === true;
  await context.policy();
  const state = await operate(context, (operating) => setupState(givenSettings(flags, env), operating));
  const auth0 = await auth0Settings(state, context);
  const shop = flags.gumroad ? await gumroadSettings(state, context) : null;
  const sellerId = shop?.sellerId ?? givenSeller(flags, state);
  const opensLogin = state.stored.accounts.state !== "empty" || flags.selfBuiltLogin === true ||
    (await questions?.confirm("Open the self-built login, for buyers without Auth0 (docs/login.md)", false)) === true;
  const { stage, pingUrl, readsBack, steps } = await operate(context,
    (operating) =>
      setUp({ state, auth0, gumroad: shop?.value ?? null, sellerId, operator: operatorOf(flags, env), opensLogin,
        dryRun, tokens: { renew: flags.newPingToken === true, forgetOld: flags.forgetOldPingTokens === true } },
        stepSaid(output), operating));
  output.say(`\nPing URL  ${pingUrl}`);
  output.say(
    readsBack
      ? "All eight events are sent there. Gumroad's own field (Settings → Advanced → Ping) may stay empty; with " +
        "the URL in it, sales are told twice, which does no harm."
      : "Paste it into Gumroad: Settings → Advanced → Ping.",
  );
  output.result({ stage, dryRun, pingUrl, steps });
  return steps.some(({ outcome }) => outcome === "by hand") ? EXIT.failed : EXIT.ok;
}

/**
 * The shop's id where there is no token to ask with.
 * @throws {ConfigError} SETUP_INCOMPLETE
 */
function givenSeller(flags: SetupFlags, known: SetupState): string {
  const id = flags.sellerId ?? known.sellerId;
  if (id === "") {
    throw new ConfigError("SETUP_INCOMPLETE",
      "without a Gumroad token the shop's seller_id is needed: --seller-id ID, as in any ping");
  }
  return id;
}
