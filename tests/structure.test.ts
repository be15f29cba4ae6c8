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
const MOST_LINES = 9_000;

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

describe("the tool", () => {
  const tool = sources.filter(({ file }) => file.startsWith("cli/"));
  const operations = tool.filter(({ file }) => file.startsWith("cli/operations/"));
  /** Those that put the program together. */
  const others = /^cli\/(?:main|program|operating|context)\.ts$/;
  /** Commands, and what says what came of them: whoever has the terminal. */
  const saying = tool.filter(({ file, text }) =>
    !others.test(file) &&
    (file.startsWith("cli/commands/") || importsIn(text).some((specifier) =>
      /\/(?:context|terminal\/\w+)\.ts$/.test(specifier)
    ))
  );

  it("has operations that know no command and no terminal, print nothing and ask nobody", () => {
    expect(operations.length).toBeGreaterThan(1);
    expect(operations.flatMap(({ file, text }) => [
      ...importsIn(text).map((specifier) => targetOf(file, specifier) ?? "").filter((target) =>
        /^cli\/(?:terminal|commands|context|operating\.)/.test(target)
      ).map((target) => `${file} imports ${target}`),
      ...(/\bprocess\.std|\bconsole\.|\boutput\.|@inquirer/.test(text) ? [`${file} prints or asks`] : []),
    ])).toEqual([]);
  });

  it("has commands that reach AWS, Auth0, Gumroad and the ledger through operations only", () => {
    expect(saying.length).toBeGreaterThan(40);
    expect(saying.flatMap(({ file }) => reachedBy(file).map((found) => `${file}: ${found}`))).toEqual([]);
  });

  it("would be found where a command reaches out by itself, by whatever way", () => {
    expect(reachedBy("cli/operations/backfill.ts")).toContain(
      "cli/stage/secrets.ts imports @aws-sdk/client-secrets-manager",
    );
    expect(reachedBy("cli/replay/letters.ts")).toContain("cli/replay/letters.ts imports @aws-sdk/client-sqs");
    expect(reachedBy("cli/buyers/buyers.ts")).toEqual([]);
  });
});

describe("what deploys", () => {
  it(`has at most ${String(MOST_LINES)} lines`, () => {
    const counted = sources.filter(({ file }) => file.startsWith("src/"));
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

/** What reaches out: SDKs, and the rooms of src around them. Not what only parses: an email, a ping. */
const REACHES = new RegExp([
  "^@aws-sdk/|^auth0/|^src/(?:auth0|ledger|dynamo|queue|sweeping|provisioning|accounts)/",
  String.raw`^src/gumroad/(?:api|call|secret)\.`,
].join("|"));

/**
 * The imports by which a file of the tool reaches out, itself or by what it loads; but not by operations, whose
 * business that is. Types load nothing.
 */
function reachedBy(start: string): string[] {
  const found: string[] = [];
  const known = new Set<string>();
  const visit = (file: string): void => {
    if (known.has(file) || (file !== start && /^cli\/operat(?:ions\/|ing\.)/.test(file))) return;
    known.add(file);
    const text = sources.find((source) => source.file === file)?.text ?? "";
    for (const specifier of importsIn(text.replace(/^(?:import|export) type\b[^;]*;/gms, ""))) {
      const target = targetOf(file, specifier) ?? specifier;
      if (REACHES.test(target)) found.push(`${file} imports ${target}`);
      else visit(target);
    }
  };
  visit(start);
  return found;
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
