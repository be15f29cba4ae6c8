import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { afterAll, describe, expect, it } from "@jest/globals";

import { bundleFunctions, type FunctionBundle, functionNames } from "../../../scripts/bundling/bundle.ts";
import { projectRoot } from "../../../scripts/project-root.ts";

const folders: string[] = [];
const temporaryFolder = async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "bundling-"));
  folders.push(folder);
  return folder;
};
/** A project of its own: a serverless.yml with `ping` alone, and what src/functions/ping.ts holds. */
const projectWith = async (source: string | null,
  serverless = "functions:\n  ping: { handler: .build/ping.handler, role: !Ref X }\n") => {
  const root = await temporaryFolder();
  await mkdir(path.join(root, "src/functions"), { recursive: true });
  await symlink(path.join(projectRoot, "node_modules"), path.join(root, "node_modules"));
  await writeFile(path.join(root, "serverless.yml"), serverless);
  if (source !== null) await writeFile(path.join(root, "src/functions/ping.ts"), source);
  return root;
};
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describe("the functions' bundles", () => {
  // As tests/bundle-once.mjs made them.
  const outdir = path.join(projectRoot, ".build/tests");
  const bundles: readonly FunctionBundle[] = JSON.parse(readFileSync(`${outdir}.json`, "utf8"));
  const inputsOf = (name: string) => bundles.find((each) => each.name === name)?.inputs ?? [];
  const from = (inputs: string[], pattern: RegExp) => inputs.filter((input) => pattern.test(input));

  it("are one for each function of serverless.yml", async () => {
    expect(bundles.map(({ name }) => name)).toEqual(functionNames());
    expect(functionNames()).toEqual(expect.arrayContaining(["ping", "provision", "reconcile"]));
  });

  it.each(functionNames().map((name) => ({ name })))("$name is within its budget", async ({ name }) => {
    const bundle = bundles.find((each) => each.name === name);
    expect(bundle?.bytes).toBeLessThanOrEqual(bundle?.budget ?? 0);
    expect((await readFile(bundle?.path ?? "")).length).toBe(bundle?.bytes);
  });

  it("keep Auth0 and DynamoDB out of ping, whose cold start Gumroad waits for", async () => {
    const inputs = inputsOf("ping");
    expect(from(inputs, /@aws-sdk\/client-sqs\//)).not.toEqual([]);
    expect(from(inputs, /node_modules\/(auth0|jose|@aws-sdk\/(client|lib|util)-dynamodb)\//)).toEqual([]);
    expect(from(inputs, /src\/(auth0|ledger|accounts)\//)).toEqual([]);
  });

  it("look for credentials where Lambda puts them, and hold nothing that looks elsewhere", () => {
    for (const name of functionNames()) {
      const elsewhere = from(inputsOf(name), /credential-provider-(?!env\/)|nested-clients/);
      expect({ name, elsewhere }).toEqual({ name, elsewhere: [] });
      expect(from(inputsOf(name), /credential-provider-env\//)).not.toEqual([]);
    }
  });

  it("load none of Node's modules that ping doesn't use: its fetch came with an import of node:http", () => {
    const start = `await import(${JSON.stringify(pathToFileURL(path.join(outdir, "ping.mjs")).href)});
      process.stdout.write(JSON.stringify(process.moduleLoadList));`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", start], { encoding: "utf8",
      env: { AWS_REGION: "us-east-1", PING_SECRET: "secret", QUEUE_URL: "queue", DEAD_LETTER_QUEUE_URL: "letters" } });
    const loaded: unknown = JSON.parse(stdout);
    expect(loaded).toContain("NativeModule https");
    expect(loaded).not.toContain("NativeModule internal/deps/undici/undici");
    expect(loaded).not.toContain("NativeModule http2");
  });

  it("keep the self-built login's word lists, hashes and tokens out of all but its own functions", async () => {
    const lists = /node_modules\/@zxcvbn-ts\/|src\/accounts\/password(-rules)?\.ts/;
    expect(from(inputsOf("login"), lists)).not.toEqual([]);
    for (const name of functionNames().filter((each) => each !== "login")) {
      expect({ name, found: from(inputsOf(name), lists) }).toEqual({ name, found: [] });
    }
    for (const name of ["ping", "provision", "reconcile"]) {
      expect({ name, found: from(inputsOf(name), /src\/accounts\//) }).toEqual({ name, found: [] });
    }
    expect(await readFile(path.join(outdir, "login.mjs"), "utf8")).toContain("argon2id");
    expect(await readFile(path.join(outdir, "ping.mjs"), "utf8")).not.toContain("argon2");
  });

  it("keep DynamoDB out of private, which only checks tokens", async () => {
    expect(from(inputsOf("private"), /node_modules\/@aws-sdk\/(client|lib|util)-dynamodb\//)).toEqual([]);
  });

  it("keep what makes and checks passwords out of verify, private and claim", async () => {
    for (const name of ["verify", "private", "claim"]) {
      expect({ name, found: from(inputsOf(name), /src\/accounts\/(password|change-password|log-in)/) })
        .toEqual({ name, found: [] });
    }
  });

  it("keep Auth0 out of reconcile", async () => {
    expect(from(inputsOf("reconcile"), /node_modules\/auth0\/|src\/auth0\//)).toEqual([]);
  });

  it("hold nothing that only serves development", async () => {
    for (const { name, inputs } of bundles) {
      expect({ name,
        found: from(inputs,
          /^(cli|local|packages|scripts|tests)\/|node_modules\/(yaml|esbuild|dynalite|fauxqs|commander)\//) })
        .toEqual({ name, found: [] });
    }
  });

  it("hold the small zod, not the one with every method on every schema", async () => {
    for (const { name, inputs } of bundles) {
      expect({ name, found: from(inputs, /node_modules\/zod\/v4\/(classic|locales\/(?!en\.))/) }).toEqual({ name,
        found: [] });
    }
  });

  it("have their source maps beside them, unnamed inside: maps are not deployed", async () => {
    const files = await readdir(outdir);
    expect(files.sort()).toEqual(functionNames().flatMap((name) => [`${name}.mjs`, `${name}.mjs.map`]).sort());
    expect(await readFile(path.join(outdir, "ping.mjs"), "utf8")).not.toContain("sourceMappingURL");
  });
});

describe("bundleFunctions", () => {
  it("bundles only the named functions", async () => {
    const outdir = await temporaryFolder();
    const root = await projectWith("export const handler = async () => 'pong';");
    const bundles = await bundleFunctions({ root, outdir, names: ["ping"] });
    expect(bundles).toMatchObject([{ name: "ping", path: path.join(outdir, "ping.mjs"),
      inputs: ["src/functions/ping.ts"] }]);
  });

  it("leaves out of the inputs what tree-shaking took out", async () => {
    const root = await projectWith('import { unused } from "./unused.ts"; export const handler = async () => 1;');
    await writeFile(path.join(root, "src/functions/unused.ts"), "export const unused = () => 2;");
    const [bundle] = await bundleFunctions({ root });
    expect(bundle?.inputs).toEqual(["src/functions/ping.ts"]);
  });

  it("lets CommonJS packages require Node's own modules", async () => {
    const root = await projectWith('import qs from "qs"; export const handler = () => qs.parse("a[b]=1");');
    const [bundle] = await bundleFunctions({ root });
    expect(await readFile(bundle?.path ?? "", "utf8")).toMatch(
      /^import \{ createRequire as \w+ \} from "node:module"; const require = /,
    );
  });

  it.each([
    { case: "a function without a source file", source: null, code: "BUNDLE_NO_SOURCE",
      message: 'serverless.yml has a function "ping", but there is no src/functions/ping.ts.' },
    { case: "a package that is not there", source: 'import "no-such-package";\nexport const handler = 1;',
      code: "BUNDLE_FAILED", message: 'src/functions/ping.ts:1:8: Could not resolve "no-such-package"' },
    { case: "a mistake in the code", source: "export const handler = ;", code: "BUNDLE_FAILED",
      message: 'src/functions/ping.ts:1:24: Unexpected ";"' },
  ])("refuses $case in one line", async ({ source, code, message }) => {
    await expect(bundleFunctions({ root: await projectWith(source) })).rejects.toMatchObject({ code, message });
  });

  it("refuses a function without a budget, saying where to give it one", async () => {
    const root = await projectWith("", "functions: { newcomer: {} }");
    await writeFile(path.join(root, "src/functions/newcomer.ts"), "export const handler = 1;");
    await expect(bundleFunctions({ root })).rejects.toMatchObject({ code: "BUNDLE_NO_BUDGET",
      message: 'The function "newcomer" has no size budget: give it one in scripts/bundling/budgets.ts.' });
  });

  it.each([
    { case: "no serverless.yml", text: null },
    { case: "a serverless.yml without functions", text: "service: x" },
    { case: "a serverless.yml that is not YAML", text: "functions: [" },
  ])("refuses $case", async ({ text }) => {
    const root = await temporaryFolder();
    if (text !== null) await writeFile(path.join(root, "serverless.yml"), text);
    expect(() => functionNames(root)).toThrow(
      `serverless.yml has no readable list of functions (${path.join(root, "serverless.yml")}).`,
    );
  });
});
