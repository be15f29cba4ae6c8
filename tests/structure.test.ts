import { globSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";

/** The rooms of src: each may import the ones named, itself, and what every room shares (errors, log, metrics). */
const ROOMS: Readonly<Record<string, readonly string[]>> = { access: [], config: ["access"],
  gumroad: ["access", "config"], auth0: ["access", "config", "http"], dynamo: [], ledger: ["access", "dynamo"],
  queue: ["access", "gumroad"], http: ["config"], accounts: ["config", "dynamo", "http"],
  claims: ["access", "accounts", "gumroad", "http", "ledger", "queue"],
  receiving: ["access", "config", "gumroad", "http", "queue"],
  provisioning: ["access", "auth0", "config", "gumroad", "ledger", "queue"],
  sweeping: ["access", "dynamo", "gumroad", "ledger", "provisioning", "queue"],
  "at-login": ["access", "config", "gumroad", "http", "ledger", "queue"] };

/** What each folder mustn't import: nothing that deploys knows the rest, and a package knows nothing of ours. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  src: ["cli", "local", "packages", "scripts", "tenant", "tests", "fixtures"],
  packages: ["src", "cli", "local", "scripts", "tenant", "tests", "fixtures"],
  local: ["cli", "src/functions", "tests"],
  scripts: ["src/functions", "tests"],
  cli: ["src/functions", "tests"],
};

/** Every line is a cost: what deploys shrinks or stays. */
const MOST_LINES = 9_190;

const root = path.resolve(import.meta.dirname, "..");
const sources = globSync(["{src,cli,local,scripts}/**/*.ts", "packages/*/src/**/*.ts"], { cwd: root })
  .map(readSource);
const importing = [...sources, ...globSync("packages/*/tests/**/*.ts", { cwd: root }).map(readSource)];

describe("an import", () => {
  it("goes only where the map in CONTRIBUTING says", () => {
    const wrong = importing.flatMap(({ file, text }) =>
      importsIn(text).flatMap((specifier) => {
        const target = targetOf(file, specifier);
        return target === null || mayImport(file, target) ? [] : [`${file} imports ${target}`];
      })
    );
    expect(wrong).toEqual([]);
  });

  it("is bound by a rule in each room of src but functions, which may import all", () => {
    const rooms = readdirSync(path.join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.map(({ name }) => name).sort()).toEqual([...Object.keys(ROOMS), "functions"].sort());
  });

  it("that goes another way would be found", () => {
    expect(importsIn('import {\n  a,\n} from "../a.ts";\nexport type { B } from "b";\nawait import("./c.ts");'))
      .toEqual(["../a.ts", "b", "./c.ts"]);
    expect(targetOf("src/access/policy.ts", "../ledger/record.ts")).toBe("src/ledger/record.ts");
    expect(targetOf("src/access/policy.ts", "gumroad-emulator/options")).toBe("packages/gumroad-emulator/options");
    expect(targetOf("src/access/policy.ts", "zod/mini")).toBe(null);
    expect(mayImport("src/access/policy.ts", "src/ledger/record.ts")).toBe(false);
    expect(mayImport("src/ledger/record.ts", "src/access/policy.ts")).toBe(true);
    expect(mayImport("src/ledger/record.ts", "src/products.ts")).toBe(true);
    expect(mayImport("src/log.ts", "packages/gumroad-emulator/options")).toBe(false);
    expect(mayImport("packages/auth0-emulator/src/user.ts", "packages/emulator-server/src/faults.ts")).toBe(true);
    expect(mayImport("packages/auth0-emulator/src/user.ts", "src/errors.ts")).toBe(false);
    expect(mayImport("local/stack.ts", "src/functions/ping.ts")).toBe(false);
  });
});

describe("an operation", () => {
  const operations = sources.filter(({ file }) => file.startsWith("cli/operations/"));

  it("knows no command and no terminal, and prints nothing", () => {
    expect(operations.length).toBeGreaterThan(1);
    expect(operations.flatMap(({ file, text }) => [
      ...importsIn(text).map((specifier) => targetOf(file, specifier) ?? "").filter((target) =>
        /^cli\/(?:terminal|commands)\//.test(target)
      ).map((target) => `${file} imports ${target}`),
      ...(/\bprocess\.std|\bconsole\.|\boutput\./.test(text) ? [`${file} prints`] : []),
    ])).toEqual([]);
  });
});

describe("what deploys", () => {
  it(`has at most ${String(MOST_LINES)} lines; claims of licence keys, a feature by itself, are counted apart`, () => {
    const counted = sources.filter(({ file }) =>
      file.startsWith("src/") && !/^src\/(?:claims\/|functions\/claim)/.test(file)
    );
    const lines = counted.reduce((sum, { text }) => sum + text.split("\n").length - 1, 0);
    const mend =
      `${String(lines)} lines: delete or unify as much as was added (an interface beside its shape or its ` +
      "only maker, a wrapper with one caller, what only the tool uses), or say in the commit why MOST_LINES grows";
    expect(lines <= MOST_LINES ? "" : mend).toBe("");
  });
});

describe("a docstring", () => {
  it("stands before each export, and each public method of an exported class", () => {
    expect(sources.flatMap(({ file, text }) => undocumented(text).map((line) => `${file}: ${line}`))).toEqual([]);
  });

  it("that is missing would be found", () => {
    const klass = "/** A. */\nexport class A {\n  private b(): void {\n  }\n  c(): void {\n  }\n}\n";
    expect(undocumented(`${klass}export const d = 1;\n/** E. */\nexport type E = 1;\n`)).toEqual(["c(): void {",
      "export const d = 1;"]);
  });
});

function readSource(file: string) {
  return { file, text: readFileSync(path.join(root, file), "utf8") };
}

function importsIn(text: string): string[] {
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gms)]
    .map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? "");
}

/** The file of ours that an import names, from the project's root; null for a library. */
function targetOf(file: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return path.join(path.dirname(file), specifier);
  return /^[a-z0-9]+-emulator\b|^emulator-server\b/.test(specifier) ? `packages/${specifier}` : null;
}

function mayImport(file: string, target: string): boolean {
  const within = (folder: string) => target.startsWith(`${folder}/`);
  if ((FORBIDDEN[file.split("/")[0] ?? ""] ?? []).some(within)) return false;
  const allowed = ROOMS[roomOf(file)];
  const room = roomOf(target);
  return allowed === undefined || room === "" || room === roomOf(file) || allowed.includes(room);
}

/** The room of src that a file lies in; empty for what every room shares, and outside src. */
function roomOf(file: string): string {
  return /^src\/([^/]+)\//.exec(file)?.[1] ?? "";
}

const EXPORT = /^export (?:default )?(?:abstract |async |declare )*(?:function|class|interface|type \w|const|enum)/;
const METHOD =
  /^ {2}(?!private |protected |#|constructor\b|static \{)(?:static |async |get |set |\*)*\w+(?:<.*>)?\(.*[{(,]$/;

/** The exports and public methods that no docstring stands before; an overload's stands before its first line. */
function undocumented(text: string): string[] {
  const lines = text.split("\n");
  let inClass = false;
  return lines.flatMap((line, at) => {
    if (/^export .*\bclass /.test(line)) inClass = true;
    if (line === "}") inClass = false;
    if (!EXPORT.test(line) && !(inClass && METHOD.test(line))) return [];
    const before = lines[at - 1] ?? "";
    return before.endsWith("*/") || /^export (?:async )?function .*;$/.test(before) ? [] : [line.trim()];
  });
}
