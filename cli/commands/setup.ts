import type { Command } from "commander";

import type { Context } from "../context.ts";
import { DRY_RUN, examples, operatorOptions } from "./options.ts";
import type { SetupFlags } from "../setup/setup.ts";

/** Defines `setup`. */
export function register(command: Command, context: Context): void {
  command
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
    .option("--self-built-login", "open the login of docs/login.md, for buyers without Auth0: makes its keys")
    .option("--new-ping-token", "put a new token first, and register the pings with it; the old ones are still taken")
    .option("--forget-old-ping-tokens", "take only the first token from now on")
    .option("--dry-run", DRY_RUN)
    .addHelpText("after",
      examples(["setup", "asks for what the local stage lacks (mostly nothing)"], ["setup --stage prod",
        "asks for what prod lacks"], ["setup --stage prod --dry-run", "only says what it would do"], [
        "setup --stage prod --new-ping-token",
        "begins to rotate the ping token",
      ]));
  operatorOptions(command).action(
    context.action(async (flags: SetupFlags) => (await import("../setup/setup.ts")).setup(flags, context)),
  );
}
