import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { build } from "esbuild";

import { CATALOGUE } from "../cli/commands/catalogue.ts";
import { startStack } from "../local/stack.ts";
import { HANDBOOK_BUNDLE } from "./both-ways.ts";
import type { FunctionBundle } from "../scripts/bundling/bundle.ts";
import { projectRoot } from "../scripts/project-root.ts";
import { alone, brief, inOrder, type Pair, quantile, standing, type Table, times } from "./figures.ts";

const FOLDER = path.join(projectRoot, ".build/bench-starts");
const CLIENTS: Readonly<Record<string, string>> = {
  "@aws-sdk/client-sqs": `import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
    export const sqs = [new SQSClient({}), SendMessageCommand];`,
  "@aws-sdk/client-secrets-manager":
    `import { SecretsManagerClient, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
    export const secrets = [new SecretsManagerClient({}), GetSecretValueCommand];`,
  "@aws-sdk/lib-dynamodb": `import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
    import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
    export const documents = [DynamoDBDocumentClient.from(new DynamoDBClient({})), GetCommand, UpdateCommand];`,
};

/** So much longer than the bare AWS clients is no more than they explain on a busy machine. */
const CLOSE = 1.5;

/**
 * A process that starts, loads a bundle and ends: ours, the handbook's, a bare handler, and the bare AWS clients that
 * ours needs.
 */
export async function starts(bundles: readonly FunctionBundle[], rounds: number): Promise<Table> {
  const bare = await made("bare", []);
  const stack = await startStack({ bundlesDir: path.dirname(HANDBOOK_BUNDLE) });
  const environments = Object.fromEntries(
    stack.template.functions.map(({ key, environment }) => [key, environment((name) => `http://127.0.0.1/${name}`)]),
  );
  await stack.stop();
  const rows: (readonly string[])[] = [];
  const pairs: Pair[] = [];
  for (const { name, path: bundle, bytes, libraries } of bundles) {
    const needed = Object.keys(CLIENTS).filter((library) => (libraries[library] ?? 0) > 0);
    const clients = await made(needed.map((library) => library.split("/").at(-1)).join("+"), needed);
    const ms: Record<"ours" | "bare" | "clients" | "handbook", number[]> = { ours: [], bare: [], clients: [],
      handbook: [] };
    for (let round = 0; round < rounds; round += 1) {
      ms.ours.push(startOf(bundle, environments[name] ?? {}));
      ms.bare.push(startOf(bare, {}));
      ms.clients.push(startOf(clients, {}));
      ms.handbook.push(startOf(HANDBOOK_BUNDLE, {}));
    }
    const median = (which: keyof typeof ms) => quantile(inOrder(ms[which]), 0.5);
    const [ours, alike, theirs] = [median("ours"), median("clients"), median("handbook")];
    rows.push([name, brief(bytes / 1024, "KB"), brief(ours, "ms"), brief(median("bare"), "ms"), brief(alike, "ms"),
      brief(theirs, "ms"), times(ours, median("bare")), times(ours, alike), times(ours, theirs)]);
    pairs.push({ what: name, ours, theirs, better: "less", why: ours < alike * CLOSE
      ? "it loads AWS clients, which alone take about as long, and the handbook's function has none"
      : undefined });
  }
  const { notes, unexplained } = standing(pairs);
  return { title: `Start of a process with each bundle (median of ${String(rounds)})`,
    columns: ["function", "minified", "ours", "bare handler", "bare AWS clients", "handbook's function", "ours / bare",
      "ours / clients", "ours / handbook's"], rows, unexplained,
    notes: [...notes,
      "The handbook's function does all in one; here its counterparts are `ping`, which alone is waited for, and " +
      "`provision`. The word lists of `login` are run by the first sign-up only."] };
}

/** What a command line needs to get as far as its stage. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = { explain: ["a@example.com"],
  grant: ["a@example.com", "role"], revoke: ["a@example.com"], transfer: ["sale:a", "a@example.com"],
  accounts: ["reset", "ann"], invite: ["a@example.com"], sync: ["a@example.com"], forget: ["a@example.com"],
  replay: ["--dead-letters"], discard: ["letter"], release: ["product"], keep: ["product"] };

/** The start of each command of the tool: of its help, and of itself until it finds that no stage runs. */
export function commandStarts(rounds: number): Table {
  const cli = path.join(projectRoot, "cli/main.mjs");
  const names = CATALOGUE.flatMap(([, commands]) => commands.map(({ name }) => name));
  const median = (args: readonly string[], exit = 0) =>
    quantile(inOrder(Array.from({ length: rounds }, () => timed(args, { PORT: "1" }, exit))), 0.5);
  const bare = median(["-e", "0"]);
  const rows = names.map((command) => {
    const line = [cli, command, ...(ARGUMENTS[command] ?? [])];
    // The first ever compiles the command.
    timed(line, { PORT: "1" }, 2);
    const [help, start] = [median([cli, command, "--help"]), median(line, 2)];
    return [command, brief(help, "ms"), brief(start, "ms"), times(start, bare)];
  });
  return { title: `Start of the tool's commands (median of ${String(rounds)})`,
    columns: ["command", "its help", "itself, up to its stage", `a bare Node (${brief(bare, "ms")})`], rows,
    ...alone("it has no tool. Each command loads only what it needs; the rest is Node's own start and commander's.") };
}

async function made(name: string, needed: readonly string[]): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  const outfile = path.join(FOLDER, `${name}.mjs`);
  const contents = [...needed.map((library) => CLIENTS[library] ?? ""), "export const handler = async () => ({});"]
    .join("\n");
  const { outputFiles } = await build({ stdin: { contents, resolveDir: projectRoot }, bundle: true, platform: "node",
    target: "node24", format: "esm", minify: true, mainFields: ["module", "main"], write: false,
    banner: { js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);' } });
  writeFileSync(outfile, outputFiles[0]?.contents ?? "");
  return outfile;
}

function startOf(bundle: string, environment: Readonly<Record<string, string>>): number {
  return timed(["--input-type=module", "-e", `await import(${JSON.stringify(pathToFileURL(bundle).href)});`], {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
    ...environment,
  });
}

function timed(args: readonly string[], environment: Readonly<Record<string, string>>, exit = 0): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env: { ...environment, LOG_LEVEL: "SILENT" },
    encoding: "utf8" });
  if (status !== exit) throw new Error(`${args.join(" ")} ends with ${String(status)}: ${stderr}`);
  return performance.now() - began;
}
