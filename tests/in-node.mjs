/**
 * Jest's own test framework, but for one thing: Node imports the test files itself, as it imports what deploys. Jest
 * would evaluate every library anew for each file, inside a VM context, and that cost more than the tests. Here the
 * libraries are loaded once a worker; what is ours is fresh for each file, so that no state of one reaches another.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

import circus from "jest-circus/runner";

const ROOT = pathToFileURL(`${process.cwd()}/`).href;
const GLOBALS = Symbol.for("gumroad-auth0's tests");
const MARK = /\?test=\d+/g;
const sources = new Map();
let files = 0;

registerHooks({ resolve(specifier, context, next) {
  const mark = context.parentURL?.match(MARK)?.[0];
  if (mark === undefined) return next(specifier, context);
  if (specifier === "@jest/globals") return { url: `jest:globals${mark}`, format: "module", shortCircuit: true };
  const found = next(specifier, context);
  return isOurs(found.url) ? { ...found, url: found.url + mark } : found;
}, load(url, context, next) {
  if (url.startsWith("jest:")) {
    const names = Object.keys(globalThis[GLOBALS]).join(", ");
    return { format: "module", shortCircuit: true,
      source: `export const { ${names} } = globalThis[Symbol.for("${GLOBALS.description}")];` };
  }
  if (!url.includes(".ts?test=")) return next(url, context);
  const file = fileURLToPath(url);
  const source = sources.get(file) ?? stripTypeScriptTypes(readFileSync(file, "utf8"));
  sources.set(file, source);
  return { format: "module", source, shortCircuit: true };
} });

// The auth0 SDK leaves a call's limit running when the call fails: limits of minutes keep no worker from ending.
const { setTimeout: start } = globalThis;
globalThis.setTimeout = Object.assign((then, ms, ...rest) => {
  const timer = start(then, ms, ...rest);
  return ms >= 60_000 ? timer.unref() : timer;
}, start);

export default async function run(globalConfig, config, environment, runtime, ...rest) {
  // A failure names the files as they are.
  Error.prepareStackTrace = (error, calls) => [String(error), ...calls].join("\n    at ").replaceAll(MARK, "");
  const mocks = environment.moduleMocker;
  const before = { ...process.env };
  // Jest's framework is still in its own context: it has to know our `String` for the one that is asked of `any`.
  Object.assign(environment.global, { Array, BigInt, Boolean, Date, Error, Function, Map, Number, Object, Promise,
    RegExp, Set, String, Symbol, Uint8Array });
  runtime.setGlobalsForRuntime = (globals) => {
    globalThis[GLOBALS] = { ...globals,
      jest: { fn: mocks.fn.bind(mocks), spyOn: mocks.spyOn.bind(mocks),
        restoreAllMocks: mocks.restoreAllMocks.bind(mocks) } };
  };
  runtime.unstable_shouldLoadAsEsm = () => true;
  runtime.unstable_importModule = (file) => import(`${pathToFileURL(file).href}?test=${String(++files)}`);
  try {
    return await circus.default(globalConfig, config, environment, runtime, ...rest);
  } finally {
    mocks.restoreAllMocks();
    process.env = before;
  }
}

function isOurs(url) {
  return url.startsWith(ROOT) && !/\/node_modules\/|\/packages\/[^/]+\/src\//.test(url);
}
