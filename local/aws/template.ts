import { readFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { ACCOUNT_ID, arn, REGION, secretArn } from "./account.ts";
import { ConfigError } from "../../src/errors.ts";
import { isObject, type Json, type JsonObject, parseYaml, resolver } from "./serverless-yaml.ts";
import { rateToMs } from "./schedule.ts";

/** A route of the HTTP API, as API Gateway names it: `POST /ping/{token}`. */
export interface RouteEvent {
  readonly kind: "httpApi";
  readonly routeKey: string;
}

/** An SQS event source. */
export interface QueueEvent {
  readonly kind: "sqs";
  readonly queueArn: string;
  /** Messages a function gets at most in one invocation. */
  readonly batchSize: number;
  /** Invocations of the function at once. */
  readonly maximumConcurrency: number;
  /** Whether the function's answer names the messages that failed (`ReportBatchItemFailures`). */
  readonly partialFailures: boolean;
}

/** A schedule. */
export interface ScheduleEvent {
  readonly kind: "schedule";
  readonly everyMs: number;
}

/** One Lambda function. */
export interface FunctionSpec {
  /** Its key in serverless.yml, which is its bundle's name too. */
  readonly key: string;
  /** Its name on AWS. */
  readonly name: string;
  /** The bundle's export that is called. */
  readonly exportName: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** Invocations at once; more are throttled. Undefined: no bound of its own. */
  readonly reservedConcurrency: number | undefined;
  /**
   * The environment of serverless.yml. It takes a function, because queue URLs are known only once the queues' port
   * is.
   */
  readonly environment: (queueUrl: (queueName: string) => string) => Record<string, string>;
  readonly events: readonly (RouteEvent | QueueEvent | ScheduleEvent)[];
}

/** One SQS queue, with its attributes as CreateQueue takes them. */
export interface QueueSpec {
  readonly logicalId: string;
  readonly name: string;
  readonly attributes: Record<string, string>;
}

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(["HASH", "RANGE"]) }));
const tableProperties = z.object({ TableName: z.string(), KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.enum(["S", "N", "B"]) })),
  GlobalSecondaryIndexes: z
    .array(
      z.object({ IndexName: z.string(), KeySchema: keySchema,
        Projection: z.object({ ProjectionType: z.enum(["ALL", "KEYS_ONLY", "INCLUDE"]),
          NonKeyAttributes: z.array(z.string()).exactOptional() }) }),
    )
    .exactOptional() });

/** One DynamoDB table: keys and indexes, as CreateTable takes them. */
export interface TableSpec extends z.infer<typeof tableProperties> {
  readonly logicalId: string;
}

/** A secret: the name it has on AWS. */
export interface SecretSpec {
  readonly logicalId: string;
  readonly name: string;
}

/** The HTTP API's CORS settings, with the defaults of serverless.yml's `cors: true` filled in. */
export interface CorsSpec {
  readonly allowedOrigins: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSeconds: number | undefined;
}

/** What the local runtime takes from serverless.yml. */
export interface Template {
  readonly functions: readonly FunctionSpec[];
  readonly queues: readonly QueueSpec[];
  readonly tables: readonly TableSpec[];
  readonly secrets: readonly SecretSpec[];
  readonly cors: CorsSpec | undefined;
}

/** Which stage, and which params, to read the file for. */
export interface TemplateOptions {
  readonly stage: string;
  readonly params?: Readonly<Record<string, string>>;
  /** The text of a file that serverless.yml takes in; from this project's folder if left out. */
  readonly readFile?: (name: string) => string;
}

const LAMBDA_DEFAULT_TIMEOUT_S = 6;
const LAMBDA_DEFAULT_MEMORY_MB = 1024;
const SQS_DEFAULT_BATCH = 10;
/** As many as are useful on a laptop; the fewest that show what two at once do. */
const LOCAL_DEFAULT_CONCURRENCY = 2;

const functionShape = z.object({ handler: z.string(), name: z.string().optional(),
  timeout: z.number().positive().optional(), memorySize: z.number().positive().optional(),
  reservedConcurrency: z.number().int().nonnegative().optional(),
  events: z.array(z.record(z.string(), z.json())).default([]) });
const providerShape = z.object({ timeout: z.number().positive().default(LAMBDA_DEFAULT_TIMEOUT_S),
  memorySize: z.number().positive().default(LAMBDA_DEFAULT_MEMORY_MB) });
const httpApiShape = z.union([z.string(), z.object({ method: z.string().default("*"), path: z.string() })]);
const sqsShape = z.object({ arn: z.string(), batchSize: z.number().int().positive().default(SQS_DEFAULT_BATCH),
  maximumConcurrency: z.number().int().min(2).default(LOCAL_DEFAULT_CONCURRENCY),
  functionResponseType: z.literal("ReportBatchItemFailures").optional() });
const scheduleShape = z.union([z.string(), z.object({ rate: z.union([z.string(), z.array(z.string())]) })]);
const environmentShape = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));
const corsShape = z.object({ allowedOrigins: z.array(z.string()).default(["*"]),
  allowedHeaders: z.array(z.string()).default([]), allowedMethods: z.array(z.string()).default([]),
  exposedResponseHeaders: z.array(z.string()).default([]), allowCredentials: z.boolean().default(false),
  maxAge: z.number().optional() });
/** What the deployment tool sends for `cors: true`. */
const DEFAULT_CORS_HEADERS = ["Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token",
  "X-Amz-User-Agent"];

/**
 * Reads serverless.yml: the functions with their events and environment, the queues, tables and secrets. It is the
 * file that deploys, so that what runs locally is what deploys.
 * @throws {ConfigError} BAD_TEMPLATE, one line that names the entry.
 */
export function readTemplate(text: string, options: TemplateOptions): Template {
  const declared = parseYaml(text);
  const stack = stackOf(declared["resources"] ?? {}, options.readFile ?? ownFile);
  const root: JsonObject = { ...declared, resources: stack };
  const resources = objectAt(stack, "Resources");
  const names = new Map<string, string>();
  const make = (queueUrl: ((name: string) => string) | undefined) =>
    resolver(root, { ...options, region: REGION, accountId: ACCOUNT_ID, resource: (logicalId, attribute) =>
      resourceValue(logicalId, attribute, queueUrl) });
  // Before the queues' port is known a queue has a name and an ARN, no URL.
  const resolve = make(undefined);

  function resourceValue(logicalId: string, attribute: string | undefined,
    queueUrl: ((name: string) => string) | undefined) {
    const type = objectAt(resources, logicalId)["Type"];
    const name = nameOf(logicalId);
    if (name === undefined) return undefined;
    switch (`${String(type)}.${attribute ?? ""}`) {
      case "AWS::SQS::Queue.":
        return queueUrl?.(name);
      case "AWS::SQS::Queue.Arn":
        return arn("sqs", name);
      case "AWS::SQS::Queue.QueueName":
      case "AWS::DynamoDB::Table.":
      case "AWS::IAM::Role.RoleId":
        return name;
      case "AWS::DynamoDB::Table.Arn":
        return arn("dynamodb", `table/${name}`);
      case "AWS::SecretsManager::Secret.":
      case "AWS::SecretsManager::Secret.Id":
        return secretArn(name);
      default:
        return undefined;
    }
  }

  function nameOf(logicalId: string): string | undefined {
    const known = names.get(logicalId);
    if (known !== undefined) return known;
    const resource = objectAt(resources, logicalId);
    const property = NAME_PROPERTIES[String(resource["Type"])];
    const value = property === undefined ? undefined : objectAt(resource, "Properties")[property];
    if (value === undefined) return undefined;
    const name = resolve(value);
    if (typeof name !== "string") throw bad(`resources.${logicalId}`, `${String(property)} is no name`);
    names.set(logicalId, name);
    return name;
  }

  function ofType(type: string): [string, JsonObject][] {
    return Object.entries(resources).flatMap(([logicalId, resource]): [string, JsonObject][] => {
      if (!isObject(resource) || resource["Type"] !== type) return [];
      if (nameOf(logicalId) === undefined) {
        throw bad(`resources.${logicalId}`, `needs ${NAME_PROPERTIES[type] ?? "a name"}`);
      }
      return [[logicalId, objectAt(resource, "Properties")]];
    });
  }

  const queues = ofType("AWS::SQS::Queue").map(([logicalId, properties]) => queueSpec(logicalId, resolve(properties)));
  const tables = ofType("AWS::DynamoDB::Table").map(([logicalId, properties]): TableSpec => {
    const kept = Object.fromEntries(Object.entries(properties).filter(([key]) => key in tableProperties.shape));
    return { logicalId, ...parse(tableProperties, resolve(kept), `resources.${logicalId}`) };
  });
  const secrets = ofType("AWS::SecretsManager::Secret").map(([logicalId]) => ({ logicalId,
    name: nameOf(logicalId) ?? "" })
  );

  const provider = objectAt(root, "provider");
  const defaults = parse(providerShape, resolve(pick(provider, providerShape)), "provider");
  const service = String(root["service"]);
  const functions = Object.entries(objectAt(root, "functions")).map(([key, entry]): FunctionSpec => {
    const where = `functions.${key}`;
    if (!isObject(entry)) throw bad(where, "is no mapping");
    const spec = parse(functionShape, resolve(pick(entry, functionShape)), where);
    const environment = { ...objectAt(provider, "environment"), ...objectAt(entry, "environment") };
    return { key, name: spec.name ?? `${service}-${options.stage}-${key}`,
      exportName: spec.handler.slice(spec.handler.lastIndexOf(".") + 1),
      timeoutMs: (spec.timeout ?? defaults.timeout) * 1000, memoryMb: spec.memorySize ?? defaults.memorySize,
      reservedConcurrency: spec.reservedConcurrency,
      environment: (queueUrl) => parse(environmentShape, make(queueUrl)(environment), `${where}.environment`),
      events: spec.events.map((event, index) => eventSpec(event, `${where}.events[${String(index)}]`)) };
  });
  return { functions, queues, tables, secrets,
    cors: corsSpec(resolve(objectAt(provider, "httpApi")["cors"] ?? false)) };
}

function ownFile(name: string): string {
  return readFileSync(path.resolve(import.meta.dirname, "../..", name), "utf8");
}

/** `resources` may be a list, and a part of it may be in another file: the deployment tool makes one of them. */
function stackOf(declared: Json, readFile: (name: string) => string): JsonObject {
  const stack: JsonObject = {};
  for (const item of Array.isArray(declared) ? declared : [declared]) {
    const [, name, key = ""] = (typeof item === "string" ? /^\$\{file\(([\w.-]+)\):(\w+)\}$/.exec(item) : null) ?? [];
    const part = name === undefined ? item : parseYaml(readFile(name), name)[key];
    if (!isObject(part)) throw bad("resources", `${JSON.stringify(item)} is no mapping`);
    for (const section of Object.keys(part)) {
      const both = { ...objectAt(stack, section), ...objectAt(part, section) };
      stack[section] = isObject(part[section]) ? both : (part[section] ?? null);
    }
  }
  return stack;
}

const NAME_PROPERTIES: Record<string, string> = { "AWS::IAM::Role": "RoleName", "AWS::SQS::Queue": "QueueName",
  "AWS::DynamoDB::Table": "TableName", "AWS::SecretsManager::Secret": "Name" };

function bad(where: string, what: string): ConfigError {
  return new ConfigError("BAD_TEMPLATE", `serverless.yml: ${where}: ${what}`);
}

function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isObject(value) ? value : {};
}

/** Only the keys that the shape reads: the others may hold what the local runtime can't resolve. */
function pick(from: JsonObject, shape: z.ZodObject): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key in shape.shape));
}

function parse<T>(schema: z.ZodType<T>, value: Json, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw bad([where, ...(issue?.path ?? []).map(String)].join("."), issue?.message ?? "not understood");
}

function queueSpec(logicalId: string, properties: Json): QueueSpec {
  const attributes: Record<string, string> = {};
  let name = "";
  for (const [key, value] of Object.entries(isObject(properties) ? properties : {})) {
    if (key === "QueueName") name = String(value);
    else if (key !== "Tags") attributes[key] = typeof value === "object" ? JSON.stringify(value) : String(value);
  }
  return { logicalId, name, attributes };
}

function eventSpec(event: JsonObject, where: string): RouteEvent | QueueEvent | ScheduleEvent {
  const [kind = "", value = null] = Object.entries(event)[0] ?? [];
  switch (kind) {
    case "httpApi": {
      const route = parse(httpApiShape, value, where);
      const [method = "", path = ""] = typeof route === "string"
        ? route.trim().split(/\s+/)
        : [route.method, route.path];
      if (typeof route === "string" && route.trim() === "*") return { kind, routeKey: "$default" };
      if (!path.startsWith("/")) throw bad(where, `${JSON.stringify(value)} is not like "POST /path"`);
      return { kind, routeKey: `${method === "*" ? "ANY" : method.toUpperCase()} ${path}` };
    }
    case "sqs": {
      const source = parse(sqsShape, typeof value === "string" ? { arn: value } : value, where);
      return { kind, queueArn: source.arn, batchSize: source.batchSize, maximumConcurrency: source.maximumConcurrency,
        partialFailures: source.functionResponseType !== undefined };
    }
    case "schedule": {
      const schedule = parse(scheduleShape, value, where);
      const rate = typeof schedule === "string" ? schedule : [schedule.rate].flat().join(" ");
      const everyMs = rateToMs(rate);
      if (everyMs === undefined) {
        throw bad(where, `"${rate}" is not like "rate(1 minute)", which is all the local runtime knows`);
      }
      return { kind, everyMs };
    }
    default:
      throw bad(where, `the local runtime knows no "${kind}" events`);
  }
}

function corsSpec(value: Json): CorsSpec | undefined {
  if (value === false || value === null) return undefined;
  const given = parse(corsShape, value === true ? {} : value, "provider.httpApi.cors");
  return { allowedOrigins: given.allowedOrigins,
    allowedHeaders: given.allowedHeaders.length > 0 ? given.allowedHeaders : DEFAULT_CORS_HEADERS,
    allowedMethods: given.allowedMethods.length > 0 ? given.allowedMethods : ["*"],
    exposedHeaders: given.exposedResponseHeaders, allowCredentials: given.allowCredentials,
    maxAgeSeconds: given.maxAge };
}
