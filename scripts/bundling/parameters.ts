/**
 * What `serverless.yml` can be told with `--param`: a mistake would show only when a function starts, or not at all.
 */
import { parseArgs } from "node:util";

import { isBaseUrl } from "../../src/config/base-url.ts";
import { ConfigError } from "../../src/errors.ts";

interface Parameter {
  /** What is taken, for a message. */
  readonly takes: string;
  readonly isRight: (value: string) => boolean;
  /** The words it takes, if it takes only those. */
  readonly words?: readonly string[];
}

const oneOf = (...words: string[]): Parameter => ({ takes: words.join(", "), isRight: (value) => words.includes(value),
  words });
const like = (takes: string, pattern: RegExp): Parameter => ({ takes, isRight: (value) => pattern.test(value) });
const anything: Parameter = { takes: "anything", isRight: () => true };

/** By name, all of `params` in serverless.yml. */
export const parameters: Readonly<Record<string, Parameter>> = {
  logLevel: oneOf("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "SILENT"),
  alarmEmail: like("an email address, or nothing", /^$|^[^\s@]+@[^\s@]+\.[^\s@]+$/),
  onRemove: oneOf("Retain", "Delete"),
  deletionProtection: oneOf("true", "false"),
  gettingIn: oneOf("invite", "passwordless", "none"),
  pingConcurrency: like("a number from 1, or nothing", /^$|^[1-9]\d*$/),
  access: oneOf("roles", "app_metadata"),
  allowedOrigins: { takes: "a list, which only serverless.yml can give", isRight: () => false },
  signUp: oneOf("open", "closed"),
  tokenSeconds: { takes: "a number from 60 to 86400",
    isRight: (value) => /^\d+$/.test(value) && Number(value) >= 60 && Number(value) <= 86_400 },
  auth0Issuer: { takes: "the tenant's https URL with a slash at its end, or nothing",
    isRight: (value) => value === "" || (/^[^/]+\/\/[^/\s]+\/$/.test(value) && isBaseUrl(value)) },
  auth0Audience: anything,
  // Auth0 drops a claim of another name in silence.
  rolesClaim: like("a URL, or nothing", /^$|^https?:\/\/[^\s/]+\S*$/),
};

/** What `--help` of `npm run package` and `npm run deploy` says of their flags, after a line of its own on each. */
export const FLAGS_USAGE = `
  --stage NAME        is in every resource's name
  --region REGION     of AWS; the shell's
  --param NAME=VALUE  a parameter, as often as needed:
${Object.entries(parameters).map(([name, { takes }]) => `    ${name.padEnd(20)}${takes}`).join("\n")}

An empty VALUE means what serverless.yml says. docs/settings.md says what each
parameter does. What isn't listed here goes on to serverless.`;

/** What is wrong with a value of a parameter, in words; undefined if nothing is. */
export function faultOf(name: string, value: string): string | undefined {
  const parameter = parameters[name];
  if (parameter === undefined) return `there is no such parameter${guess(name, Object.keys(parameters))}`;
  if (parameter.isRight(value)) return undefined;
  return `it takes ${parameter.takes}${guess(value, parameter.words ?? [])}`;
}

/**
 * Every `--param NAME=VALUE` of a command line, checked.
 * @throws {ConfigError} PARAM_INVALID, one line that names the parameter
 */
export function parametersIn(args: readonly string[]): Readonly<Record<string, string>> {
  const { values } = parseArgs({ args: [...args], options: { param: { type: "string", multiple: true } },
    strict: false, allowPositionals: true });
  return Object.fromEntries((values.param ?? []).map((each) => {
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(String(each)) ?? [];
    const fault = name === "" ? 'it takes NAME=VALUE, such as "logLevel=DEBUG"' : faultOf(name, value);
    if (fault !== undefined) throw new ConfigError("PARAM_INVALID", `--param "${String(each)}": ${fault}`);
    return [name, value];
  }));
}

/** A command line as serverless takes it: there, what has no value has to be left out. */
export function withoutEmptyParameters(args: readonly string[]): readonly string[] {
  const isEmpty = (given: string | undefined) => given !== undefined && /^[^=]+=$/.test(given);
  return args.filter((arg, at) => {
    if (arg === "--param") return !isEmpty(args[at + 1]);
    return !isEmpty(args[at - 1] === "--param" ? arg : /^--param=(.*)$/s.exec(arg)?.[1]);
  });
}

function guess(text: string, words: readonly string[]): string {
  const lower = text.toLowerCase();
  const near = (word: string) => {
    const other = word.toLowerCase();
    return lower.length > 2 && (other.includes(lower) || lower.includes(other)) ? 0 : distance(lower, other);
  };
  const [best] = words.map((word) => ({ word, far: near(word) })).sort((a, b) => a.far - b.far);
  return best !== undefined && best.far <= text.length / 3 ? `; did you mean ${best.word}?` : "";
}

/** How many letters have to be put in, taken out or changed to make one word of the other (Levenshtein). */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [at, other] of [...b].entries()) {
      next.push(Math.min((next[at] ?? 0) + 1, (row[at + 1] ?? 0) + 1, (row[at] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
