import { ConfigError } from "../errors.ts";

/** A setting that `serverless.yml` must give the function. Throws ConfigError SETTING_MISSING, naming it. */
export function requiredSetting(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const value = env[name];
  if (value === undefined || value === "") {
    throw new ConfigError("SETTING_MISSING", `The environment variable ${name} is not set: see serverless.yml.`);
  }
  return value;
}

/** A setting that takes one of a few words. Throws ConfigError SETTING_MISSING or SETTING_INVALID, naming them. */
export function chosenSetting<Choice extends string>(name: string, choices: readonly Choice[],
  env: NodeJS.ProcessEnv = process.env): Choice {
  const value = requiredSetting(name, env);
  const choice = choices.find((word) => word === value);
  if (choice === undefined) {
    throw new ConfigError("SETTING_INVALID", `${name} is "${value}": it takes ${choices.join(", ")}.`);
  }
  return choice;
}
