import { readFileSync } from "node:fs";
import { parseArgs, parseEnv } from "node:util";

import { distance, faultOf } from "../scripts/bundling/parameters.ts";
import { auth0SecretShape } from "../src/auth0/secret.ts";
import { ConfigError } from "../src/errors.ts";
import { messageOf, systemCodeOf } from "./aws/errors.ts";
import type { TenantSettings } from "./stack.ts";
import { LOCAL_CLIENT } from "./known-values.ts";

/** What `npm start` is told by its arguments, the environment and `.env`. */
export interface StartSettings {
  readonly port: number;
  readonly auth0Port: number;
  readonly gumroadPort: number;
  /** Whether the service reads purchases back from the Gumroad emulator; else pings are taken on trust. */
  readonly readBack: boolean;
  /** Where tables and emulators are kept; in memory if undefined. */
  readonly dataDir: string | undefined;
  readonly tenant: TenantSettings;
  /** Parameters of serverless.yml that can be tried locally. */
  readonly params: Readonly<Record<string, string>>;
}

/** Which environment variable sets which parameter of serverless.yml. */
const PARAMS = { GETTING_IN: "gettingIn", ACCESS: "access", SIGNUP: "signUp", AUTH0_ISSUER: "auth0Issuer",
  AUTH0_AUDIENCE: "auth0Audience", ROLES_CLAIM: "rolesClaim", LOG_LEVEL: "logLevel" } as const;

const SETTINGS = ["PORT", "AUTH0_PORT", "GUMROAD_PORT", "AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET",
  ...Object.keys(PARAMS)];

/** Shown for `npm start -- --help`. */
export const START_USAGE = `npm start [-- [--data DIR] [--read-back]]

  --data DIR            keep tables, Auth0's users and the shop in DIR; in memory otherwise
  --read-back           give the service the Gumroad emulator's API token, so that it reads purchases back;
                        without, pings are taken on trust, as without a token in production

Settings, from the environment or .env (the environment wins):
  PORT                  the API's port on 127.0.0.1; 3000
  AUTH0_PORT            the Auth0 emulator's port on 127.0.0.1; 3001
  GUMROAD_PORT          the Gumroad emulator's port on 127.0.0.1; 3002
  AUTH0_DOMAIN          another Auth0 tenant (a host), or a full URL of a proxy or emulator; the emulator above
  AUTH0_CLIENT_ID       its machine-to-machine application; ${LOCAL_CLIENT.id}
  AUTH0_CLIENT_SECRET   and that one's secret; ${LOCAL_CLIENT.secret}
  GETTING_IN            how new buyers get in: invite, passwordless or none; invite. The emulator
                        shows its mails: GET /_emulator/mails
  ACCESS                where roles are kept: roles or app_metadata; roles
  SIGNUP                closed: the self-built login takes nobody new; open
  AUTH0_ISSUER, AUTH0_AUDIENCE, ROLES_CLAIM
                        the Auth0 access tokens that /private takes too; the emulator's (with
                        AUTH0_DOMAIN: none). The first two go together, the last counts with them
  LOG_LEVEL             of the functions, in the log file; INFO
`;

const DEFAULT_PORT = 3000;
const DEFAULT_AUTH0_PORT = 3001;
const DEFAULT_GUMROAD_PORT = 3002;
const HIGHEST_PORT = 65_535;

/**
 * The environment with `.env` below it: what the environment sets wins, even if it is empty.
 * @throws {ConfigError} BAD_SETTING if there is a `.env` that can't be read
 */
export function environmentWith(envFile: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  try {
    return { ...parseEnv(readFileSync(envFile, "utf8")), ...environment };
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return environment;
    throw new ConfigError("BAD_SETTING", `.env can't be read: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Reads the settings. `help` if they were asked for.
 * @throws {ConfigError} BAD_SETTING, one line that names the setting
 */
export function readStartSettings(args: readonly string[], environment: NodeJS.ProcessEnv): StartSettings | "help" {
  const { data, help, "read-back": readBack = false } = flags(args);
  if (help === true) return "help";
  if (data === "") throw new ConfigError("BAD_SETTING", "--data needs a folder, such as --data .local");
  requireKnown(environment);
  const port = portOf("PORT", environment["PORT"], DEFAULT_PORT);
  const auth0Port = portOf("AUTH0_PORT", environment["AUTH0_PORT"], DEFAULT_AUTH0_PORT);
  const gumroadPort = portOf("GUMROAD_PORT", environment["GUMROAD_PORT"], DEFAULT_GUMROAD_PORT);
  requireDifferent([["PORT", port], ["AUTH0_PORT", auth0Port], ["GUMROAD_PORT", gumroadPort]]);
  return { port, auth0Port, gumroadPort, readBack, dataDir: data, tenant: tenantOf(environment),
    params: paramsOf(environment) };
}

/** The environment is full of other programs' names: a mistake is only what is one of ours but for a letter. */
function requireKnown(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) {
    const meant = SETTINGS.find((setting) => isMisspelt(name, setting));
    if (meant === undefined || SETTINGS.includes(name) || environment[meant] !== undefined) continue;
    throw new ConfigError("BAD_SETTING",
      `there is no setting ${name}; did you mean ${meant}? If ${name} is another program's, set ${meant} too`);
  }
}

/** A letter too many, missing or wrong, or two that changed places. */
function isMisspelt(name: string, setting: string): boolean {
  if (setting.length <= 5 || Math.abs(name.length - setting.length) > 1) return false;
  const letters = (word: string) => [...word].sort().join("");
  const far = distance(name.toUpperCase(), setting);
  return far <= 1 || (far === 2 && letters(name.toUpperCase()) === letters(setting));
}

function requireDifferent(ports: readonly (readonly [setting: string, port: number])[]): void {
  const taken = new Map<number, string>();
  for (const [setting, port] of ports) {
    const other = taken.get(port);
    if (other !== undefined) {
      throw new ConfigError("BAD_SETTING", `${other} and ${setting} are both ${String(port)}; they need two ports`);
    }
    if (port !== 0) taken.set(port, setting);
  }
}

function paramsOf(environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(PARAMS).flatMap(([variable, param]) => {
    const value = environment[variable];
    if (value === undefined || value === "") return [];
    const fault = faultOf(param, value);
    if (fault !== undefined) throw new ConfigError("BAD_SETTING", `${variable}=${value}: ${fault}`);
    return [[param, value]];
  }));
}

function flags(
  args: readonly string[],
): { data?: string | undefined; "read-back"?: boolean | undefined; help?: boolean | undefined } {
  try {
    return parseArgs({ args: [...args],
      options: { data: { type: "string" }, "read-back": { type: "boolean" }, help: { type: "boolean", short: "h" } } })
      .values;
  } catch (error) {
    throw new ConfigError("BAD_SETTING", `${messageOf(error).split(/[.\n]/)[0] ?? ""}; see npm start -- --help`, {
      cause: error,
    });
  }
}

/**
 * A port setting; `fallback` if it is left out or empty.
 * @throws {ConfigError} BAD_SETTING
 */
export function portOf(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined || value === "") return fallback;
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= HIGHEST_PORT) return port;
  throw new ConfigError("BAD_SETTING",
    `${name}=${value} is no port: give a number from 0 (any free one) to ${String(HIGHEST_PORT)}`);
}

/** Whether a tenant is the emulator, or behind a proxy on this machine: nothing real hangs on it. */
export function isOnThisMachine({ domain }: TenantSettings): boolean {
  return domain === undefined || domain.startsWith("http:");
}

/**
 * The tenant that the `AUTH0_…` settings name. What is left out is the emulator's, but for a tenant that isn't on this
 * machine: there the local credentials can only be a mistake.
 * @throws {ConfigError} BAD_SETTING
 */
export function tenantOf(environment: NodeJS.ProcessEnv): TenantSettings {
  const set = (name: string): string | undefined => (environment[name] === "" ? undefined : environment[name]);
  const tenant = { domain: set("AUTH0_DOMAIN"), clientId: set("AUTH0_CLIENT_ID"),
    clientSecret: set("AUTH0_CLIENT_SECRET") };
  if (tenant.domain === undefined) return tenant;
  if (!isOnThisMachine(tenant)) {
    for (const name of ["AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET"]) {
      if (set(name) === undefined) {
        throw new ConfigError("BAD_SETTING", `AUTH0_DOMAIN is ${tenant.domain}, so ${name} has to be set too`);
      }
    }
  }
  const secret = { domain: tenant.domain, client_id: tenant.clientId ?? LOCAL_CLIENT.id,
    client_secret: tenant.clientSecret ?? LOCAL_CLIENT.secret };
  const checked = auth0SecretShape.safeParse(secret);
  if (!checked.success) {
    throw new ConfigError("BAD_SETTING",
      `AUTH0_DOMAIN=${tenant.domain} is no host name, https URL, or http URL of this machine`);
  }
  return tenant;
}
