import { readFileSync } from "node:fs";

import { type Document, OpenAPIBackend } from "openapi-backend";
import * as z from "zod";

import { formats } from "./formats.ts";
import { Refusal } from "./refusal.ts";

/** One operation of Auth0's description. */
export interface Operation {
  /** E.g. `post_user_roles`. */
  readonly id: string;
  /** E.g. `/users/{id}/roles`. */
  readonly template: string;
  readonly takesBody: boolean;
}

/** A request before it is checked: the path without `/api/v2`, still encoded; the body as it was parsed. */
export interface UncheckedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A request that fits the description. */
export interface CheckedRequest {
  /** The `{id}` of the path, decoded; empty where the path has none. */
  readonly id: string;
  /** With numbers and booleans as such. */
  readonly query: unknown;
  readonly body: unknown;
}

/** Auth0's own description of its Management API, used on requests and on the emulator's answers. */
export interface Contract {
  /** The operation of a method and path, if the description has one. */
  match(method: string, path: string): Operation | undefined;
  /** Throws the 400 that Auth0 gives for a body, query or path that doesn't fit. */
  check(operation: Operation, request: UncheckedRequest): CheckedRequest;
  /** What is wrong with an answer of the emulator, if anything. */
  breach(operation: Operation, status: number, body: unknown): string | undefined;
}

/** The refusals that every operation can give, though the description forgets one here and there. */
const COMMON_REFUSALS = new Set([400, 401, 403, 429]);

const PathParameters = z.object({ id: z.string().default("") }).default({ id: "" });

/** An error of the validator, as far as it is used here. */
interface ValidationError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string | undefined;
  readonly data?: unknown;
}

/** The description of what services call, and what it needs besides for tools that import a tenant. */
const FILES = { services: ["management"], deployment: ["management", "deployment"] } as const;
const loaded = new Map<keyof typeof FILES, Promise<Contract>>();

/** Reads the description, once a process: compiling its validators is most of what starting an emulator costs. */
export function loadContract(of: keyof typeof FILES = "services"): Promise<Contract> {
  const contract = loaded.get(of) ?? readContract(FILES[of]);
  loaded.set(of, contract);
  return contract;
}

const Description = z.custom<Document>((value) => typeof value === "object" && value !== null && "paths" in value);

/** One description of several files: later ones add to the earlier, or replace an operation of theirs. */
function described(files: readonly string[]): Document {
  return files.map((file) =>
    Description.parse(JSON.parse(readFileSync(new URL(`${file}.openapi.json`, import.meta.url), "utf8")))
  ).reduce((all, { paths = {}, components }) => ({ ...all,
    paths: Object.fromEntries(
      [...new Set([...Object.keys(all.paths ?? {}), ...Object.keys(paths)])].map((
        path,
      ) => [path, { ...all.paths?.[path], ...paths[path] }]),
    ), components: { schemas: { ...all.components?.schemas, ...components?.schemas } } })
  );
}

async function readContract(files: readonly string[]): Promise<Contract> {
  const api = new OpenAPIBackend({
    definition: described(files),
    apiRoot: "/",
    // Without "quick" the description itself is checked first, against OpenAPI 3.0's idea of `type`, and refused.
    quick: true,
    ignoreTrailingSlashes: false,
    coerceTypes: true,
    ajvOpts: { strict: false, verbose: true },
    customizeAjv: (ajv) => {
      for (const [name, holds] of Object.entries(formats)) ajv.addFormat(name, holds);
      return ajv;
    },
  });
  await api.init();

  return { match(method, path) {
    const found = api.router.matchOperation({ method, path, headers: {} });
    if (found?.operationId === undefined) return undefined;
    return { id: found.operationId, template: found.path, takesBody: found.requestBody !== undefined };
  }, check(operation, request) {
    const body = operation.takesBody ? (request.body ?? {}) : undefined;
    const { errors, coerced } = api.validator.validateRequest({ method: request.method, path: request.path,
      query: { ...request.query }, headers: { ...request.headers }, body }, operation.id);
    const [first] = errors ?? [];
    if (first !== undefined) throw refusalOf(first);
    return { id: PathParameters.parse(coerced?.params).id, query: coerced?.query ?? {}, body };
  }, breach(operation, status, body) {
    const declared = api.router.getOperation(operation.id)?.responses ?? {};
    if (!(status in declared)) {
      return COMMON_REFUSALS.has(status) ? undefined : `${operation.id} does not answer ${String(status)}`;
    }
    const { errors } = api.validator.validateResponse(body ?? null, operation.id, status);
    const [first] = errors ?? [];
    if (first === undefined) return undefined;
    return `${operation.id} answered ${String(status)}, but ${describe(first)}${place(first)}`;
  } };
}

/** Where an error lies decides what Auth0 calls it. */
function refusalOf(error: ValidationError): Refusal {
  const problem = `validation error: '${describe(error)}'${place(error)}.`;
  if (error.instancePath.startsWith("/query")) return new Refusal(400, `Query ${problem}`, "invalid_query_string");
  if (error.instancePath.startsWith("/path")) return new Refusal(400, `Path ${problem}`, "invalid_uri");
  if (error.instancePath.startsWith("/header")) return new Refusal(400, `Headers ${problem}`, "invalid_headers");
  return new Refusal(400, `Payload ${problem}`, "invalid_body");
}

function place(error: ValidationError): string {
  const property = error.instancePath.replace(/^\/(requestBody|query|path|header)(?=\/|$)/u, "").slice(1);
  return property === "" ? "" : ` on property ${property.replaceAll("/", ".")}`;
}

/** The wordings are Auth0's own, as people quote them. */
function describe({ keyword, params, message, data }: ValidationError): string {
  const limit = String(params["limit"]);
  switch (keyword) {
    case "additionalProperties":
      return `Additional properties not allowed: ${String(params["additionalProperty"])}`;
    case "required":
      return `Missing required property: ${String(params["missingProperty"])}`;
    case "type":
      return `Expected type ${String(params["type"])} but found type ${typeName(data)}`;
    case "format":
      return `Object didn't pass validation for format ${String(params["format"])}: ${String(data)}`;
    case "pattern":
      return `String does not match pattern ${String(params["pattern"])}: ${String(data)}`;
    case "minLength":
      return `String is too short (${String(data).length} chars), minimum ${limit}`;
    case "maxLength":
      return `String is too long (${String(data).length} chars), maximum ${limit}`;
    case "minItems":
      return `Array is too short (${Array.isArray(data) ? String(data.length) : "?"}), minimum ${limit}`;
    case "minimum":
      return `Value ${String(data)} is less than minimum ${limit}`;
    case "maximum":
      return `Value ${String(data)} is greater than maximum ${limit}`;
    default:
      return message ?? keyword;
  }
}

function typeName(data: unknown): string {
  if (data === null) return "null";
  return Array.isArray(data) ? "array" : typeof data;
}
