/**
 * Builds each function of serverless.yml into the one file that runs on AWS, under `npm start` and in the tests alike.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { build } from "esbuild";
import type { Metafile, Plugin } from "esbuild";
import { parse } from "yaml";
import * as z from "zod";

import { projectRoot } from "../project-root.ts";
import { ConfigError } from "../../src/errors.ts";
import { budgets } from "./budgets.ts";
import { credentialsOfLambda, requiredBuiltIns } from "./start-plugins.ts";

/** One function, bundled. */
export interface FunctionBundle {
  /** The function's name in serverless.yml. */
  name: string;
  /** Absolute path of the bundle, an ES module that exports `handler`. */
  path: string;
  /** The bundle's size in bytes, minified, before it is zipped. */
  bytes: number;
  /** The most it may hold, in bytes (see budgets.ts). */
  budget: number;
  /** The source files whose code is in the bundle, as paths from the project's root. */
  inputs: string[];
  /** The bytes that each library takes in the bundle, by its name; what is ours is left out. */
  libraries: Readonly<Record<string, number>>;
}

/** What to bundle, and where to. */
export interface BundleOptions {
  /**
   * The folder the bundles are written to; `.build` of the project, which is what serverless.yml packs, if left out.
   */
  outdir?: string;
  /** The functions to bundle; all of serverless.yml if left out. */
  names?: readonly string[];
  /** The folder that holds serverless.yml and src/functions; this project's if left out. */
  root?: string;
  /** Absolute path of the policy that the functions go by; src/products.ts if left out. */
  policy?: string;
}

const serviceSchema = z.object({ functions: z.record(z.string(), z.unknown()) });

/**
 * The names of the functions, in the order of serverless.yml: the one place that says which there are.
 * @param root the folder that holds serverless.yml
 * @throws {ConfigError} BUNDLE_NO_FUNCTIONS if the file can't be read, or has no functions
 */
export function functionNames(root: string = projectRoot): string[] {
  const file = path.join(root, "serverless.yml");
  try {
    // Tags such as !Ref mean nothing here, so their warnings are left out.
    return Object.keys(
      serviceSchema.parse(parse(readFileSync(file, "utf8"), { logLevel: "error", maxAliasCount: -1 })).functions,
    );
  } catch (cause) {
    throw new ConfigError("BUNDLE_NO_FUNCTIONS", `serverless.yml has no readable list of functions (${file}).`, {
      cause,
    });
  }
}

/**
 * Bundles the functions: one minified ES module each, `NAME.mjs`, with its source map beside it, which is not
 * deployed.
 * @throws {ConfigError} BUNDLE_NO_SOURCE, BUNDLE_NO_BUDGET or BUNDLE_FAILED, naming the function or the line at fault
 */
export async function bundleFunctions(options: BundleOptions = {}): Promise<FunctionBundle[]> {
  const root = options.root ?? projectRoot;
  const outdir = options.outdir ?? path.join(root, ".build");
  const wanted = (options.names ?? functionNames(root)).map((name) => ({ name, entry: entryOf(root, name),
    budget: budgetOf(name) })
  );
  const { outputs } = await bundle(root, outdir, Object.fromEntries(wanted.map(({ name, entry }) => [name, entry])),
    options.policy);

  return wanted.map(({ name, budget }) => {
    const file = path.join(outdir, `${name}.mjs`);
    const output = outputs[path.relative(root, file).replaceAll(path.sep, "/")];
    if (output === undefined) throw new ConfigError("BUNDLE_FAILED", `esbuild wrote no bundle for ${name}.`);
    const used = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
    return { name, path: file, bytes: output.bytes, budget, inputs: used.map(([input]) => input),
      libraries: librariesIn(used) };
  });
}

function librariesIn(used: readonly [string, { bytesInOutput: number }][]): Record<string, number> {
  const libraries: Record<string, number> = {};
  for (const [input, { bytesInOutput }] of used) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (name !== undefined) libraries[name] = (libraries[name] ?? 0) + bytesInOutput;
  }
  return libraries;
}

function entryOf(root: string, name: string): string {
  const entry = path.join(root, "src/functions", `${name}.ts`);
  if (!existsSync(entry)) {
    throw new ConfigError("BUNDLE_NO_SOURCE",
      `serverless.yml has a function "${name}", but there is no src/functions/${name}.ts.`);
  }
  return entry;
}

function budgetOf(name: string): number {
  const budget = budgets[name];
  if (budget === undefined) {
    throw new ConfigError("BUNDLE_NO_BUDGET",
      `The function "${name}" has no size budget: give it one in scripts/bundling/budgets.ts.`);
  }
  return budget;
}

/** Puts another policy in the place of src/products.ts, which the functions import. */
function policyFrom(file: string): Plugin {
  return { name: "policy",
    setup: (building) => building.onResolve({ filter: /\/products\.ts$/ }, () => ({ path: file })) };
}

async function bundle(root: string, outdir: string, entryPoints: Record<string, string>,
  policy: string | undefined): Promise<Metafile> {
  try {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints,
      outdir,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      target: "node24",
      format: "esm",
      minify: true,
      legalComments: "none",
      // Prefers the ES builds of packages, which tree-shake; platform "node" alone would take the CommonJS ones.
      mainFields: ["module", "main"],
      // CommonJS packages inside an ES module still call require() for Node's own modules.
      banner: {
        js: 'import { createRequire as createRequireOfBundle } from "node:module"; ' +
          "const require = createRequireOfBundle(import.meta.url);",
      },
      sourcemap: "external",
      metafile: true,
      plugins: [requiredBuiltIns, credentialsOfLambda, ...(policy === undefined ? [] : [policyFrom(policy)])],
      logLevel: "silent",
    });
    return metafile;
  } catch (cause) {
    throw new ConfigError("BUNDLE_FAILED", firstFault(cause), { cause });
  }
}

const buildFailureSchema = z.object({ errors: z
  .array(
    z.object({ text: z.string(),
      location: z.nullable(z.object({ file: z.string(), line: z.number(), column: z.number() })) }),
  )
  .min(1) });

/** esbuild's message holds every fault over many lines; the first with its place is what one mends first. */
function firstFault(cause: unknown): string {
  const failure = buildFailureSchema.safeParse(cause);
  const first = failure.success ? failure.data.errors[0] : undefined;
  if (first === undefined) return `The functions can't be bundled: ${String(cause)}`;
  const place = first.location === null
    ? ""
    : `${first.location.file}:${first.location.line}:${first.location.column + 1}: `;
  return `${place}${first.text}`;
}
