import { roleNames } from "../../tenant/role-names.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { pingUrl } from "../pings/ping-url.ts";
import { completedAccounts, keptOf, tokensOf } from "./values.ts";
import type { Stage } from "../stage/stage.ts";
import { readStored, type SecretName, type StoredSecret } from "../stage/secrets.ts";
import { makeSteps } from "../terminal/steps.ts";

import { type SetupFlags, type Work, LIMIT_MS } from "./work.ts";
import { auth0Credentials, auth0Settings, givenSeller, gumroadSettings } from "./settings.ts";
import { store } from "./secret.ts";
import { setUpTenant } from "./tenant.ts";
import { registerPings } from "./pings.ts";

/**
 * `ping` reads its secret again at most this often when a token is refused, see config/secret.ts; a second more to be
 * sure.
 */
const TOKEN_KNOWN_AFTER_MS = 11_000;

/** Makes a stage ready, step by step. */
export async function setUp(flags: SetupFlags, context: Context): Promise<ExitCode> {
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
  const opensLogin = work.stored.accounts.state !== "empty" || flags.selfBuiltLogin === true ||
    (await context.questions?.confirm("Open the self-built login, for buyers without Auth0 (docs/login.md)", false));

  await store(work, "ping", { ...keptOf(work.stored.ping), tokens, seller_id: sellerId });
  await store(work, "auth0", auth0.value);
  // Left as it is, a token in it goes on being used.
  const stillReads = gumroad === null && work.stored.gumroad.state === "good";
  if (gumroad === null) {
    steps.kept("secret gumroad", stillReads
      ? "left as it is: it holds a token, so purchases go on being read back with that; empty it to trust pings"
      : "left as it is: pings are trusted, lost ones are not found");
  } else await store(work, "gumroad", { ...gumroad.value, seller_id: sellerId });
  if (opensLogin) await store(work, "accounts", await completedAccounts(keptOf(work.stored.accounts)));
  else steps.kept("secret accounts", "left empty: the self-built login is off");
  await store(work, "bind", { ...keptOf(work.stored.bind), tokens: tokensOf(keptOf(work.stored.bind)) });

  await setUpTenant(work, auth0Credentials(auth0.value), auth0.client, roleNames(policy));
  const url = pingUrl(stage, tokens[0]);
  if (stillReads) steps.kept("pings", "left as they are registered");
  else if (gumroad === null) {
    steps.byHand("pings",
      "without a Gumroad token only sales can be told: refunds and ends of memberships never reach this service");
  } else {
    const isNew = work.stored.ping.state === "good" && !tokensOf(work.stored.ping.value).includes(tokens[0]);
    if (isNew && flags.dryRun !== true) await context.wait(TOKEN_KNOWN_AFTER_MS);
    await registerPings(work, gumroad.client, tokens, url);
  }

  output.say(`\nPing URL  ${url}`);
  output.say(
    gumroad === null && !stillReads
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
