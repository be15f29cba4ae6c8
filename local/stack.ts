import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";

import * as z from "zod";

import { ConfigError } from "../src/errors.ts";
import { CREDENTIALS, REGION } from "./aws/account.ts";
import { type Api, type ApiAnswer, startApi } from "./aws/api-gateway.ts";
import { messageOf, systemCodeOf } from "./aws/errors.ts";
import { type Gate, type GateHook, type Service, startGate } from "./aws/gate.ts";
import { startLambdaApi } from "./aws/lambda-api.ts";
import { createLambda, type InvocationReport, type InvocationResult, type Lambda,
  type LambdaOptions } from "./aws/lambda.ts";
import { type InFlightMessage, type QueuedMessage, type Queues, startQueues } from "./aws/queues.ts";
import { type Schedule, scheduledEvent, startSchedule } from "./aws/schedule.ts";
import { type SecretsEmulator, startSecretsEmulator } from "./aws/secrets.ts";
import { type SqsSource, startSqsSource } from "./aws/sqs-events.ts";
import { startTables, type Tables } from "./aws/tables.ts";
import { readTemplate, type Template } from "./aws/template.ts";
import { isInvitation } from "./invitation.ts";
import { keepState } from "./kept-state.ts";
import { auth0TokensOf, localLogin } from "./local-login.ts";
import { localAccountsSecret } from "./local-accounts-secret.ts";
import { type Auth0Emulator, startAuth0Emulator } from "auth0-emulator";
import type { Auth0EmulatorOptions } from "auth0-emulator/options";
import type { StackFile } from "./stack-file.ts";
import { ADMIN_SCOPES, MANAGEMENT_SCOPES } from "../tenant/scopes.ts";
import { type GumroadEmulator, startGumroadEmulator } from "gumroad-emulator";
import { FIXTURE_SELLER, type GumroadEmulatorOptions, LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { LOCAL_CLIENT, LOCAL_TOKEN } from "./known-values.ts";

/** The stage of everything local. */
export const LOCAL_STAGE = "local";
/** The seller of the fixture pings, and of the emulated shop. */
export const LOCAL_SELLER_ID = FIXTURE_SELLER;

/** What the emulated secret `auth0` says instead of the stack's own emulator and its application. */
export interface TenantSettings {
  /** Host, or a full URL. */
  readonly domain?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
}

/** How to start a stack. */
export interface StackOptions {
  /** The folder with the bundles: `NAME.mjs` for each function. */
  readonly bundlesDir: string;
  /** Path of serverless.yml; the project's if left out. */
  readonly templateFile?: string;
  /** Values for the template's `${param:…}`. */
  readonly params?: Readonly<Record<string, string>>;
  /** Port of the API; 0, the default, takes a free one. */
  readonly port?: number;
  /** Port of the Auth0 emulator; 0, the default, takes a free one. */
  readonly auth0Port?: number;
  /** Port of the Gumroad emulator; 0, the default, takes a free one. */
  readonly gumroadPort?: number;
  /**
   * Gives the functions the emulated shop's API token, in the secret `gumroad`. Default false: pings are taken on
   * trust.
   */
  readonly readBack?: boolean;
  /**
   * Keeps the tables in this folder, and what the emulators and the calendar have come to; in memory if left out.
   */
  readonly dataDir?: string;
  /** Names of the roles that the emulated tenant has from the start. */
  readonly roles?: readonly string[];
  /** More settings of the Auth0 emulator: limits, latency … */
  readonly auth0?: Omit<Auth0EmulatorOptions, "port" | "roles" | "clientId" | "clientSecret" | "now">;
  /** More settings of the Gumroad emulator: products, delays, chaos … */
  readonly gumroad?: Omit<GumroadEmulatorOptions, "port" | "sellerId" | "eventsUrl" | "now" | "forward">;
  /** The token in the ping URL, and for the question at login. Default {@link LOCAL_TOKEN}. */
  readonly token?: string;
  /** Provision another tenant than the emulated one. */
  readonly tenant?: TenantSettings | undefined;
  /**
   * Values of secrets, by the last part of their name (`ping`, `auth0`, `accounts`, `gumroad`); they replace the local
   * ones.
   */
  readonly secrets?: Readonly<Record<string, unknown>>;
  /** Environment variables of a function on top of serverless.yml's, by its key there. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Answers a browser at the API's address, before its routes: true if it did. */
  readonly pages?: (stack: Stack) => Pages;
  /** Lets people log in at the emulated Auth0, for the courses page at this stack; `private` takes those tokens. */
  readonly login?: boolean;
  /** Asked before and after each call that a function makes. Only with it do the calls go through proxies. */
  readonly onCall?: GateHook;
  /** Whether schedules run by themselves. Default false: a test calls `invoke`. */
  readonly schedules?: boolean;
  /** Workers of a function at once. Default 4. A queue's `maximumConcurrency` holds besides. */
  readonly maxWorkers?: number;
  /** Runs the functions some other way than in workers here. */
  readonly makeLambda?: (options: LambdaOptions) => Lambda;
  /** Gets each line that a function logs. */
  readonly onLog?: (functionKey: string, line: string) => void;
  /** Told of each invocation that ended, by the function's key in serverless.yml. */
  readonly onReport?: (functionKey: string, report: InvocationReport) => void;
  /** Told of each answer of the API. */
  readonly onAnswer?: (answer: ApiAnswer) => void;
  /** Told of what failed where nobody else hears of it: an invocation by a queue or a schedule. */
  readonly onError?: (text: string) => void;
}

/** The queues of a stack, seen from outside. */
export interface QueueView {
  /**
   * Resolves when no queue with a consumer holds a message, waiting or in flight.
   * Rejects after `timeoutMs` (default 60 000), naming what is left.
   */
  idle(timeoutMs?: number): Promise<void>;
  /** What is in a queue, by its logical id in serverless.yml. */
  inspect(logicalId: string): Promise<{ waiting: QueuedMessage[]; inFlight: InFlightMessage[] }>;
  /** Bodies in the dead-letter queue, parsed where they are JSON. */
  deadLetters(logicalId?: string): Promise<unknown[]>;
}

/** Addresses of a stack's parts. */
interface Endpoints {
  readonly sqs: string;
  readonly dynamodb: string;
  readonly secretsmanager: string;
  /** For whoever calls functions by name: no function does. */
  readonly lambda: string;
  readonly auth0: string;
  /** Of its API, with `/v2`. */
  readonly gumroad: string;
}

const choicesShape = z.object({ ACCESS: z.enum(["roles", "app_metadata"]).default("roles"),
  GETTING_IN: z.enum(["invite", "passwordless", "none"]).default("invite") });

/** Where roles are kept at Auth0, and how new buyers get in. */
export type Choices = Pick<StackFile, "access" | "gettingIn">;

/** Answers a browser, and says whether it did. */
export type Pages = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<boolean>;

/** A running stack: the functions of serverless.yml over embedded parts. */
export interface Stack {
  readonly url: string;
  /** Where a local ping goes. */
  readonly pingUrl: string;
  readonly template: Template;
  readonly auth0: Auth0Emulator;
  /** A shop whose eight events all go to the ping URL, on the functions' calendar. */
  readonly gumroad: GumroadEmulator;
  readonly sqs: QueueView;
  /** What provision logged last. */
  readonly provisioned: readonly string[];
  readonly secrets: { set(name: string, value: unknown): void };
  /** Addresses of the parts themselves, past the proxies. */
  readonly endpoints: Endpoints;
  /** Addresses that the functions use: the proxies where there is an `onCall`, else the parts themselves. */
  readonly gates: Endpoints;
  /** What the template's parameters chose for provision. */
  readonly choices: Choices;
  /** How far the calendar runs ahead of the machine's (ms): by what it was moved, here or before a restart. */
  ahead(): number;
  /** Messages that running invocations hold now. */
  inHand(): number;
  /** URL of a queue, by its logical id. */
  queueUrl(logicalId: string): string;
  /** All items of a table, by its logical id. */
  items(logicalId: string): Promise<Record<string, unknown>[]>;
  /** Deletes all items of a table, by its logical id. */
  forget(logicalId: string): Promise<void>;
  /** All items of the ledger. */
  ledger(): Promise<Record<string, unknown>[]>;
  /** Calls a function, by its key in serverless.yml. Without an event: the scheduler's. */
  invoke(functionKey: string, event?: unknown): Promise<InvocationResult>;
  /**
   * Ends all workers at once, in the middle of what they do; or only those of one function, by its key in
   * serverless.yml.
   */
  crash(functionKey?: string): Promise<void>;
  /** Bytes of heap, without garbage, that the worker which uses most has now, of a function. */
  heapUsed(functionKey: string): Promise<number>;
  /**
   * Makes all messages in flight that no running invocation holds visible at once, as if their visibility time-out had
   * passed.
   */
  redeliver(): Promise<void>;
  /**
   * Moves the calendar of the functions and the emulators ahead. What falls due in the shop until then happens in its
   * time and is pinged; then messages are visible whose time-out has passed.
   */
  advance(ms: number): Promise<void>;
  /**
   * Takes no more requests, works off the queues for up to `drainMs` (default 0), lets what runs finish, closes. Gives
   * the number of messages left behind.
   */
  stop(drainMs?: number): Promise<number>;
}

const DEFAULT_MAX_WORKERS = 4;
/** Only what hangs takes so long. */
const IDLE_TIMEOUT_MS = 60_000;
const IDLE_POLL_MS = 5;
const LEDGER = "LedgerTable";
const DEAD_LETTERS = "DeadLetterQueue";
/** Lines of provision's log that are kept. */
const KEPT_LINES = 500;
/** How often a stack on the real clock looks what is due in the shop. */
const SHOP_TICK_MS = 1_000;
const PROJECT_TEMPLATE = path.resolve(import.meta.dirname, "../serverless.yml");

/**
 * Starts everything that `serverless.yml` declares, on 127.0.0.1. Several stacks can run in one process.
 * @throws {ConfigError} PORT_TAKEN, BAD_TEMPLATE, BAD_DATA_DIR; nothing is left running then
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const parts: (() => Promise<unknown>)[] = [];
  try {
    return await start(options, parts);
  } catch (error) {
    for (const stop of parts.reverse()) await stop();
    throw error;
  }
}

async function start(options: StackOptions, parts: (() => Promise<unknown>)[]): Promise<Stack> {
  const template = readTemplate(readFileSync(options.templateFile ?? PROJECT_TEMPLATE, "utf8"), { stage: LOCAL_STAGE,
    ...(options.params === undefined ? {} : { params: options.params }) });
  const clock = new SharedArrayBuffer(8);
  const offset = new BigInt64Array(clock);
  const ahead = (): number => Number(Atomics.load(offset, 0));
  const now = (): number => Date.now() + ahead();
  const started = async <T extends { stop(): Promise<unknown> }>(part: Promise<T>): Promise<T> => {
    const running = await part;
    parts.push(() => running.stop());
    return running;
  };

  // Known once the API listens: before that, nobody can have followed a link to it.
  let apiUrl = "";
  const auth0 = await started(startAuth0(options, now, () => apiUrl));
  const tables: Tables = await started(startTables(template.tables, options.dataDir));
  const queues: Queues = await started(startQueues(template.queues));

  const lambdas = new Map<string, Lambda>();
  const crash = async (which: "all" | "at-work"): Promise<void> => {
    await Promise.all([...lambdas.values()].map((lambda) => lambda.crash(which)));
  };
  const gated = async (service: Service, target: string): Promise<string> => {
    if (options.onCall === undefined) return target;
    const gate: Gate = await started(
      startGate({ service, target, hook: options.onCall, crash: () => crash("at-work") }),
    );
    return gate.url;
  };
  const lambdaApi = await started(startLambdaApi(() => lambdas.values()));
  const auth0Url = options.tenant?.domain ?? (await gated("auth0", auth0.url));
  const secrets: SecretsEmulator = await started(
    startSecretsEmulator(await secretValues(template, options, auth0Url), template.secrets.map(({ name }) => name)),
  );
  const endpoints = { sqs: await gated("sqs", queues.url), dynamodb: await gated("dynamodb", tables.url),
    secretsmanager: await gated("secretsmanager", secrets.url) };
  // The SDK sends to the host of the queue's URL, whatever the endpoint: the URL has to name the proxy too.
  const workersQueueUrl = (name: string): string => queues.queueUrl(name).replace(queues.url, endpoints.sqs);

  const provisioned: string[] = [];
  for (const spec of template.functions) {
    lambdas.set(spec.key,
      (options.makeLambda ?? createLambda)({ name: spec.name, bundle: path.join(options.bundlesDir, `${spec.key}.mjs`),
        exportName: spec.exportName, timeoutMs: spec.timeoutMs, memoryMb: spec.memoryMb,
        reservedConcurrency: spec.reservedConcurrency, maxWorkers: options.maxWorkers ?? DEFAULT_MAX_WORKERS, clock,
        environment: () => ({ ...awsEnvironment(endpoints),
          ...overlaid(spec.environment(workersQueueUrl), { GUMROAD_API: gumroadUrl,
            ...(options.login === true && options.params?.["auth0Issuer"] === undefined
              ? auth0TokensOf(auth0.url)
              : {}) }), ...options.environment?.[spec.key] }), onReport: (report) =>
          options.onReport?.(spec.key, report), onLog: (line) => {
          if (spec.key === "provision") provisioned.splice(0, Math.max(0, provisioned.push(line) - KEPT_LINES));
          options.onLog?.(spec.key, line);
        } }));
  }
  const lambdaOf = (key: string): Lambda => {
    const lambda = lambdas.get(key);
    if (lambda === undefined) throw new ConfigError("BAD_TEMPLATE", `serverless.yml has no function ${key}`);
    return lambda;
  };

  const sources: { queueName: string; source: SqsSource }[] = [];
  const schedules: Schedule[] = [];
  const routes = template.functions.flatMap((spec) =>
    spec.events.flatMap((
      event,
    ): [string, Lambda][] => (event.kind === "httpApi" ? [[event.routeKey, lambdaOf(spec.key)]] : []))
  );
  /** Made last: it is shown the whole stack. */
  const front: { pages?: Pages | undefined } = {};
  const api: Api = await started(
    startApi({ port: options.port ?? 0, portSetting: "PORT", routes, cors: template.cors, onAnswer: options.onAnswer,
      pages: async (incoming, outgoing) => (await front.pages?.(incoming, outgoing)) ?? false }),
  );
  apiUrl = api.url;
  const pingUrl = `${api.url}/ping/${options.token ?? LOCAL_TOKEN}`;
  const gumroad = await started(
    startShop(options, () => apiUrl, pingUrl, now, (ms) => Atomics.add(offset, 0, BigInt(Math.ceil(ms)))),
  );
  const kept = options.dataDir === undefined
    ? undefined
    : keepState(options.dataDir, { auth0, gumroad, ahead, setAhead: (ms) => Atomics.store(offset, 0, BigInt(ms)) });
  const gumroadUrl = `${await gated("gumroad", gumroad.url)}${new URL(gumroad.apiUrl).pathname}`;
  if (options.readBack === true && options.secrets?.["gumroad"] === undefined) {
    secrets.set(fullSecretName(template, "gumroad"),
      text({ access_token: LOCAL_ACCESS_TOKEN, seller_id: LOCAL_SELLER_ID, api: gumroadUrl }));
  }
  for (const spec of template.functions) {
    const lambda = lambdaOf(spec.key);
    for (const event of spec.events) {
      if (event.kind === "sqs") {
        const queueName = event.queueArn.slice(event.queueArn.lastIndexOf(":") + 1);
        sources.push({ queueName,
          source: startSqsSource({ ...event, queues, queueName, lambda, onError: options.onError }) });
      }
      if (event.kind === "schedule" && options.schedules === true) {
        schedules.push(startSchedule(event.everyMs, () => scheduled(lambda)));
      }
    }
  }
  if (options.schedules === true) {
    schedules.push(
      startSchedule(SHOP_TICK_MS, () => shopTick().catch((error: unknown) => options.onError?.(messageOf(error)))),
    );
  }

  async function scheduled(lambda: Lambda): Promise<void> {
    const result = await lambda.invoke(scheduledEvent(now()));
    if (result.kind !== "answer") options.onError?.(`${lambda.name}: ${result.errorType}: ${result.message}`);
  }

  /** Makes visible what the queues, whose own clock is the real one, still hold back. */
  let releasedAt = Atomics.load(offset, 0);
  async function releaseDue(): Promise<void> {
    releasedAt = Atomics.load(offset, 0);
    await release(({ visibilityDeadline }) => visibilityDeadline <= now());
  }

  /**
   * On the real clock: renewals and retries fall due by themselves, and somebody may have moved time by the shop's own
   * control call.
   */
  async function shopTick(): Promise<void> {
    await gumroad.advance(0);
    if (Atomics.load(offset, 0) !== releasedAt) await releaseDue();
    kept?.save();
  }

  function nameOf(logicalId: string): string {
    const name = template.queues.find((queue) => queue.logicalId === logicalId)?.name;
    if (name === undefined) throw new ConfigError("BAD_TEMPLATE", `serverless.yml has no queue ${logicalId}`);
    return name;
  }

  async function left(): Promise<{ name: string; waiting: number; inFlight: number }[]> {
    const counts = await Promise.all(sources.map(async ({ queueName }) => {
      const { waiting, inFlight } = await queues.inspect(queueName);
      return { name: queueName, waiting: waiting.length, inFlight: inFlight.length };
    }));
    return counts.filter(({ waiting, inFlight }) => waiting + inFlight > 0);
  }

  const inHand = (): number => sources.reduce((sum, { source }) => sum + source.inHand.size, 0);

  async function idle(timeoutMs = IDLE_TIMEOUT_MS): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      // What an invocation holds is still in the queue: it can't be empty, and to look into it costs more than the
      // rest here.
      const late = performance.now() >= deadline;
      const rest = late || inHand() === 0 ? await left() : undefined;
      if (rest?.length === 0) return;
      if (late && rest !== undefined) {
        const what = rest.map(({ name, waiting, inFlight }) =>
          `${name}: ${String(waiting)} waiting, ${String(inFlight)} in flight`
        );
        throw new Error(`not idle after ${String(timeoutMs)} ms: ${what.join("; ")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, IDLE_POLL_MS));
    }
  }

  async function release(isDue: (message: InFlightMessage) => boolean): Promise<void> {
    for (const { queueName, source } of sources) {
      const { inFlight } = await queues.inspect(queueName);
      await queues.release(queueName, inFlight.filter((message) =>
        !source.inHand.has(message.receiptHandle) && isDue(message)
      ));
    }
  }

  let stopping: Promise<number> | undefined;
  async function stop(drainMs: number): Promise<number> {
    for (const schedule of schedules) schedule.stop();
    await api.stop();
    if (drainMs > 0) await idle(drainMs).catch(() => undefined);
    await Promise.all(sources.map(({ source }) => source.stop()));
    await Promise.all([...lambdas.values()].map((lambda) => lambda.stop()));
    const rest = await left();
    kept?.save();
    for (const part of parts.reverse()) await part();
    return rest.reduce((sum, { waiting, inFlight }) => sum + waiting + inFlight, 0);
  }

  const tableName = (logicalId: string): string => {
    const name = template.tables.find((table) => table.logicalId === logicalId)?.TableName;
    if (name === undefined) throw new ConfigError("BAD_TEMPLATE", `serverless.yml has no table ${logicalId}`);
    return name;
  };
  const items = async (logicalId: string): Promise<Record<string, unknown>[]> => tables.items(tableName(logicalId));
  const stack: Stack = { url: api.url, pingUrl, template, auth0, gumroad, provisioned,
    sqs: { idle, inspect: (logicalId) => queues.inspect(nameOf(logicalId)),
      deadLetters: async (logicalId = DEAD_LETTERS) => {
        const { waiting, inFlight } = await queues.inspect(nameOf(logicalId));
        return [...waiting, ...inFlight.map(({ message }) => message)].map(({ body }) => parsed(body));
      } },
    secrets: {
      set: (name, value) => secrets.set(fullSecretName(template, name), value === undefined ? undefined : text(value)),
    },
    endpoints: { sqs: queues.url, dynamodb: tables.url, secretsmanager: secrets.url, lambda: lambdaApi.url,
      auth0: auth0.url, gumroad: gumroad.apiUrl },
    choices: choicesOf(template.functions.find(({ key }) => key === "provision")?.environment(queues.queueUrl) ?? {}),
    gates: { ...endpoints, lambda: lambdaApi.url, auth0: auth0Url, gumroad: gumroadUrl }, ahead, inHand,
    queueUrl: (logicalId) => queues.queueUrl(nameOf(logicalId)), items,
    forget: (logicalId) => tables.clear(tableName(logicalId)), ledger: () => items(LEDGER),
    invoke: (functionKey, event) => lambdaOf(functionKey).invoke(event ?? scheduledEvent(now())),
    crash: (functionKey) => (functionKey === undefined ? crash("all") : lambdaOf(functionKey).crash("all")),
    heapUsed: async (functionKey) => lambdaOf(functionKey).heapUsed(), redeliver: () => release(() => true),
    advance: async (ms) => {
      await gumroad.advance(ms);
      await releaseDue();
    }, stop: (drainMs = 0) => (stopping ??= stop(drainMs)) };
  front.pages = options.pages?.(stack);
  return stack;
}

async function startAuth0(options: StackOptions, now: () => number, apiUrl: () => string): Promise<Auth0Emulator> {
  const port = options.auth0Port ?? 0;
  const login = options.login === true ? { login: () => localLogin(apiUrl(), options.token ?? LOCAL_TOKEN) } : {};
  return onPort("AUTH0_PORT", port,
    () =>
      startAuth0Emulator({ ...login, ...options.auth0, port, now, ...frontPageOf(options, apiUrl),
        roles: options.roles ?? [], clientId: LOCAL_CLIENT.id, clientSecret: LOCAL_CLIENT.secret,
        scopes: MANAGEMENT_SCOPES, adminScopes: ADMIN_SCOPES, welcomes: isInvitation }));
}

/**
 * The shop, telling each of its events to the ping URL once: it has no Ping URL besides, which would get sales again.
 */
async function startShop(options: StackOptions, apiUrl: () => string, eventsUrl: string, now: () => number,
  forward: (ms: number) => void): Promise<GumroadEmulator> {
  const port = options.gumroadPort ?? 0;
  return onPort("GUMROAD_PORT", port,
    () =>
      startGumroadEmulator({ ...options.gumroad, port, ...frontPageOf(options, apiUrl), sellerId: LOCAL_SELLER_ID,
        eventsUrl, now, forward }));
}

/** Somebody who opens an emulator in a browser is told where the pages are, if there are any. */
function frontPageOf({ pages }: StackOptions, apiUrl: () => string) {
  return pages === undefined ? {} : { frontPage: () => `${apiUrl()}/` };
}

async function onPort<T>(setting: string, port: number, begin: () => Promise<T>): Promise<T> {
  try {
    return await begin();
  } catch (error) {
    if (systemCodeOf(error) !== "EADDRINUSE") throw error;
    throw new ConfigError("PORT_TAKEN",
      `port ${String(port)} is taken by another process; choose another with ${setting}`, { cause: error });
  }
}

/** What a function gets on Lambda from its role and region, pointed at the local parts. */
function awsEnvironment(endpoints: { sqs: string; dynamodb: string; secretsmanager: string }): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsmanager,
    // Lambda has no such files; this machine's could switch the endpoints off.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}

/** Settings that the template gives a function, with those in place that are others here. */
function overlaid(environment: Readonly<Record<string, string>>,
  local: Readonly<Record<string, string>>): Record<string, string> {
  return { ...environment, ...Object.fromEntries(Object.entries(local).filter(([name]) => name in environment)) };
}

/**
 * The values of the template's secrets by their full name. One that nobody knows a value for stays empty, as after a
 * first deployment.
 */
async function secretValues(template: Template, options: StackOptions,
  auth0Url: string): Promise<Record<string, string>> {
  const { token = LOCAL_TOKEN } = options;
  const values: Record<string, unknown> = { ping: { tokens: [token], seller_id: LOCAL_SELLER_ID },
    auth0: { domain: auth0Url, client_id: options.tenant?.clientId ?? LOCAL_CLIENT.id,
      client_secret: options.tenant?.clientSecret ?? LOCAL_CLIENT.secret },
    ...(hasSecret(template, "accounts") ? { accounts: await localAccountsSecret(options.dataDir) } : {}),
    ...(hasSecret(template, "bind") ? { bind: { tokens: [token] } } : {}), ...options.secrets };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [fullSecretName(template, name), text(value)]),
  );
}

function choicesOf(environment: Readonly<Record<string, string>>): Choices {
  const { ACCESS: access, GETTING_IN: gettingIn } = choicesShape.parse(environment);
  return { access, gettingIn };
}

function hasSecret(template: Template, last: string): boolean {
  return template.secrets.some(({ name }) => name.endsWith(`/${last}`));
}

/** `ping` is the secret of the template whose name ends in `/ping`. */
function fullSecretName(template: Template, shortName: string): string {
  return template.secrets.find(({ name }) => name.endsWith(`/${shortName}`))?.name ?? shortName;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
