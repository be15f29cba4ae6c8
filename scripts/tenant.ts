/**
 * `npm run tenant [-- --stage X]`: makes what `auth0-deploy-cli` imports, in .build/tenant/STAGE, from tenant/, the
 * policy and the scopes of the calls that the service makes. The stage is `prod` if not given. Sends nothing.
 */
import path from "node:path";

import { Command, CommanderError } from "commander";

import allSettings from "../tenant/settings.ts";
import { projectRoot } from "./project-root.ts";
import { ConfigError } from "../src/errors.ts";
import policy from "../src/products.ts";
import { stageName } from "../cli/stage/open.ts";
import { tenantSettings, writeTenant } from "./tenant-build.ts";

const command = new Command("npm run tenant --")
  .description(
    "Makes what auth0-deploy-cli imports, in .build/tenant/STAGE, from tenant/, the policy and the scopes of the " +
      "calls that the service makes. Sends nothing.",
  )
  .option("--stage <name>", "a stage of tenant/settings.ts", "prod")
  .exitOverride();

try {
  const stage = stageName(command.parse().opts<{ stage: string }>().stage);
  const settings = tenantSettings(allSettings, stage);
  const { config, input } = await writeTenant(path.join(projectRoot, ".build/tenant", stage), settings, policy);
  const shown = (file: string) => path.relative(process.cwd(), file);
  console.log(
    `Made ${shown(input)}. See it first with --dry-run, then import it (tenant/README.md says what to set before):`,
  );
  console.log(`npx auth0-deploy-cli@8.44.0 import -c ${shown(config)} -i ${shown(input)} --dry-run`);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
