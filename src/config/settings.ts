import { ConfigError } from "../errors.ts";

/**
 * Reads a setting that `serverless.yml` must give the function.
 * @throws {ConfigError} SETTING_MISSING, naming it
 */
export function requiredSetting(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const value = env[name];
  if (value === undefined || value === "") throw new ConfigError("SETTING_MISSING", `The environment variable ${name} is not set: see serverless.yml.`);
  return value;
}
