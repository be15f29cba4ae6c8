import { ConfigError } from "../errors.ts";

/**
 * Reads a setting that `serverless.yml` must give the function.
 * @throws {ConfigError} SETTING_MISSING, naming it
 */
export function requiredSetting(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const value = env[name];
  if (value === undefined || value === "") {
    throw new ConfigError("SETTING_MISSING", `The environment variable ${name} is not set: see serverless.yml.`);
  }
  return value;
}

/**
 * Reads a setting that takes one of a few words.
 * @throws {ConfigError} SETTING_MISSING or SETTING_INVALID, naming it and the words
 */
export function chosenSetting<Choice extends string>(name: string, choices: readonly Choice[],
  env: NodeJS.ProcessEnv = process.env): Choice {
  const value = requiredSetting(name, env);
  const choice = choices.find((word) => word === value);
  if (choice === undefined) {
    throw new ConfigError("SETTING_INVALID", `${name} is "${value}": it takes ${choices.join(", ")}.`);
  }
  return choice;
}
