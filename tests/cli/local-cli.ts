import type { Policy } from "../../src/access/policy.ts";
import type { World } from "../../cli/context.ts";
import { runCli } from "../../cli/program.ts";
import type { Questions } from "../../cli/terminal/questions.ts";
import { clockOf, localStage } from "../../cli/stage/local.ts";
import type { Stack } from "../../local/stack.ts";
import { ConfigError } from "../../src/errors.ts";
import shopPolicy from "../../fixtures/policy.ts";
import { startLocal } from "../pipeline/local-stack.ts";

/** What a command line came to. */
export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A world where nobody can be asked, nothing waits, and no stage runs, unless `changes` says otherwise. */
export function worldOf(lines: { out: string[]; err: string[] }, changes: Partial<World> = {}): World {
  return { env: {}, print: (text) => lines.out.push(text), complain: (text) => lines.err.push(text), colours: false,
    questions: null, openStage: async () => {
      throw new ConfigError("STAGE_NOT_RUNNING", "nothing runs on port 3000: start it with npm start");
    }, policy: async () => shopPolicy, now: Date.now, wait: async () => undefined, ...changes };
}

/** Runs a command line, as typed after `gumroad-auth0`. */
export async function cli(line: string, changes: Partial<World> = {}): Promise<CliRun> {
  const lines = { out: [], err: [] };
  const code = await runCli(line.split(" ").filter((part) => part !== ""), worldOf(lines, changes));
  return { code, out: lines.out.join("\n"), err: lines.err.join("\n") };
}

/**
 * The whole local stack with all secrets filled, reading purchases back. One worker a function: a command line does
 * one thing after the other.
 */
export async function startComplete(): Promise<Stack> {
  return startLocal({ maxWorkers: 1, readBack: true,
    secrets: { "gumroad-auth0/local/bind": { tokens: ["b".repeat(43)] } } });
}

/** Empties shop, Auth0 and ledger. The shop sells in silence from then on, as before the service was. */
export async function emptied(stack: Stack): Promise<void> {
  stack.gumroad.reset();
  stack.auth0.reset();
  await stack.forget("LedgerTable");
  stack.gumroad.setDeliver(() => 200);
}

const SOON_MS = 1_000;

/** Runs a command line over a running stack. Long waits move the functions' calendar instead. */
export function cliOn(stack: Stack) {
  return async (line: string,
    { questions = null, env = {}, policy = shopPolicy, waits = wait(stack), openStage }: Options = {}): Promise<
    CliRun
  > =>
    cli(line, { questions, env, policy: async () => policy, openStage: openStage ?? (async () =>
      localStage(addressesOf(stack), await clockOf(addressesOf(stack).gumroad))), wait: waits });
}

interface Options {
  readonly questions?: Questions | null;
  readonly env?: NodeJS.ProcessEnv;
  readonly policy?: Policy;
  readonly waits?: World["wait"];
  readonly openStage?: World["openStage"];
}

const wait = (stack: Stack) => async (ms: number): Promise<void> => {
  if (ms > SOON_MS) await stack.advance(ms);
  else await new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20)));
};

/** The stage of a running stack. */
export function stageOn(stack: Stack) {
  return localStage(addressesOf(stack), Date.now);
}

/** What a running stack would tell another process of itself, as `npm start` does. */
export function stackFileOf(stack: Stack) {
  return { pid: process.pid, pingUrl: stack.pingUrl, logs: "none", ...addressesOf(stack) };
}

function addressesOf(stack: Stack) {
  const { queues, tables } = stack.template;
  return { url: stack.url, auth0: { domain: stack.gates.auth0, emulator: stack.auth0.url },
    gumroad: { emulator: stack.gumroad.url, readBack: true },
    sqs: { endpoint: stack.endpoints.sqs,
      queues: Object.fromEntries(queues.map(({ logicalId }) => [logicalId, stack.queueUrl(logicalId)])) },
    dynamodb: { endpoint: stack.endpoints.dynamodb,
      tables: Object.fromEntries(tables.map(({ logicalId, TableName }) => [logicalId, TableName])) },
    lambda: { endpoint: stack.endpoints.lambda }, secretsmanager: { endpoint: stack.endpoints.secretsmanager },
    ...stack.choices };
}

/** Answers questions in turn; throws once there are none left. */
export function answers(...given: readonly string[]): Questions & { readonly asked: string[] } {
  const asked: string[] = [];
  const next = async (question: string): Promise<string> => {
    asked.push(question);
    const answer = given[asked.length - 1];
    if (answer === undefined) throw new Error(`nobody answers "${question}"`);
    return answer;
  };
  return { asked, ask: async (question, fallback = "") => (await next(question)) || fallback, askSecret: next,
    confirm: async (question) => (await next(question)) === "y" };
}
