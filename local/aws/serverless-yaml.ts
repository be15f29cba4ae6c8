import * as z from "zod";
import { type CollectionTag, parseDocument, type ScalarTag, YAMLMap, YAMLSeq } from "yaml";
import { ConfigError } from "../../src/errors.ts";

/** Any JSON value. */
export type Json = z.infer<ReturnType<typeof z.json>>;

/** A JSON object. */
export type JsonObject = Record<string, Json>;

/**
 * What a `Ref` or `Fn::GetAtt` to one of the template's resources stands for; undefined if the local runtime has no
 * such thing.
 */
export type ResourceLookup = (logicalId: string, attribute: string | undefined) => string | undefined;

/** The short YAML forms of CloudFormation's functions: `!Ref x` is `{ Ref: x }`, the others get the prefix `Fn::`. */
const SHORT_FORMS = ["Ref", "Condition", "GetAtt", "Sub", "Join", "If", "Equals", "Not", "And", "Or", "Select",
  "Split", "ImportValue"];

/**
 * Innermost serverless variable: `${sls:stage}`, `${param:x, 'y'}`. A second colon (`${AWS::Region}`) is
 * CloudFormation's.
 */
const VARIABLE = /\$\{([a-zA-Z]+:(?!:)[^${}]*)\}/;
const SUBSTITUTION = /\$\{([^!}][^}]*)\}/g;
/** More replacements than this in one value are a variable that names itself. */
const MAX_REPLACEMENTS = 100;

/** True for an object that is neither null nor an array. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads YAML with CloudFormation's short forms, and `<<` for what is merged in, into plain JSON.
 * @param name the file's, for messages
 * @throws {ConfigError} BAD_TEMPLATE, naming the line, if it isn't YAML or not a mapping.
 */
export function parseYaml(text: string, name = "serverless.yml"): JsonObject {
  const longForm = (short: string): string => (short === "Ref" || short === "Condition" ? short : `Fn::${short}`);
  const argument = (short: string, value: unknown): unknown =>
    short === "GetAtt" && typeof value === "string" ? value.split(".") : value;
  const tags = SHORT_FORMS.flatMap((short): (ScalarTag | CollectionTag)[] => {
    const tag = `!${short}`;
    const wrap = (value: unknown) => ({ [longForm(short)]: argument(short, value) });
    return [
      { tag, resolve: (value: string) => wrap(value) },
      { tag, collection: "seq", nodeClass: YAMLSeq, resolve: (node) => wrap(node.toJSON()) },
      { tag, collection: "map", nodeClass: YAMLMap, resolve: (node) => wrap(node.toJSON()) },
    ];
  });
  const document = parseDocument(text, { customTags: tags, merge: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    throw new ConfigError("BAD_TEMPLATE", `${name}: ${fault.message.split("\n")[0]?.replace(/:$/, "") ?? ""}`, {
      cause: fault,
    });
  }
  const root = z.json().safeParse(document.toJS({ maxAliasCount: -1 })); // our own file: no attack
  if (!root.success || !isObject(root.data)) {
    throw new ConfigError("BAD_TEMPLATE", `${name}: not a mapping at its top`);
  }
  return root.data;
}

/** What {@link resolver} needs to know besides the file. */
export interface ResolverOptions {
  readonly stage: string;
  readonly region: string;
  readonly accountId: string;
  /** Values for `${param:…}`; they win over the file's own `params`. */
  readonly params?: Readonly<Record<string, string>>;
  readonly resource: ResourceLookup;
}

/**
 * Resolves variables and CloudFormation functions inside a value of the file. Only what is asked for is resolved,
 * so what the local runtime has no use for (roles, alarms) may hold what it doesn't know.
 * @throws {ConfigError} BAD_TEMPLATE for a variable, function or resource it can't resolve.
 */
export function resolver(root: JsonObject, options: ResolverOptions): (value: Json) => Json {
  const fail = (what: string): ConfigError => new ConfigError("BAD_TEMPLATE", `serverless.yml: ${what}`);
  const pseudo: Record<string, string> = { "AWS::Region": options.region, "AWS::AccountId": options.accountId,
    "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": `${String(root["service"])}-${options.stage}` };
  const params = new Map<string, Json>();
  const declared = isObject(root["params"]) ? root["params"] : {};
  for (const set of [declared["default"], declared[options.stage], { ...options.params }]) {
    if (!isObject(set)) continue;
    for (const [key, value] of Object.entries(set)) params.set(key, value);
  }

  function fromSource(source: string, address: string): Json | undefined {
    switch (source) {
      case "sls":
        return address === "stage" ? options.stage : undefined;
      case "opt":
        return { stage: options.stage, region: options.region }[address];
      case "aws":
        return { region: options.region, accountId: options.accountId }[address];
      case "param":
        return params.get(address);
      case "self": {
        let found: Json | undefined = root;
        for (const step of address.split(".")) found = isObject(found) ? found[step] : undefined;
        return found;
      }
      default:
        // `env:` too: a deployment's variables are not this machine's.
        return undefined;
    }
  }

  /** `a:b, c:d, 'literal'`: the first that has a value. */
  function variable(expression: string): Json {
    for (const part of expression.match(/'[^']*'|"[^"]*"|[^,]+/g) ?? []) {
      const candidate = part.trim();
      const quoted = /^(?:'([^']*)'|"([^"]*)")$/.exec(candidate);
      if (quoted) return quoted[1] ?? quoted[2] ?? "";
      const named = /^([a-zA-Z]+):(.*)$/.exec(candidate);
      const value = named?.[1] === undefined || named[2] === undefined
        ? literal(candidate)
        : fromSource(named[1], named[2].trim());
      if (value !== undefined && value !== null) return value;
    }
    throw fail(`no value for \${${expression}}; give it a default or a param`);
  }

  function literal(text: string): Json {
    if (text === "true" || text === "false") return text === "true";
    if (text === "null") return null;
    return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  }

  function string(text: string): Json {
    let rest = text;
    for (let count = 0;; count += 1) {
      const match = VARIABLE.exec(rest);
      if (match?.[1] === undefined) return rest;
      if (count === MAX_REPLACEMENTS) throw fail(`${text} refers to itself`);
      const value = variable(match[1]);
      if (match[0] === rest) {
        if (typeof value !== "string") return resolve(value);
        rest = value;
      } else {
        // A string's own variables are replaced by the next rounds, which are counted.
        rest = rest.replace(match[0], () => (typeof value === "string" ? value : plain(resolve(value), text)));
      }
    }
  }

  function plain(value: Json, where: string): string {
    if (typeof value === "object") throw fail(`${where} puts a list or mapping into a string`);
    return String(value);
  }

  function reference(logicalId: string, attribute?: string): string {
    const found = attribute === undefined
      ? (pseudo[logicalId] ?? options.resource(logicalId, attribute))
      : options.resource(logicalId, attribute);
    if (found !== undefined) return found;
    throw fail(`the local runtime knows no ${attribute === undefined ? logicalId : `${logicalId}.${attribute}`}`);
  }

  function substitute(text: string, own: JsonObject): string {
    const replaced = plain(string(text), text).replace(SUBSTITUTION, (_whole, name: string) => {
      const given = own[name];
      if (given !== undefined) return plain(resolve(given), text);
      const [logicalId = "", ...attribute] = name.split(".");
      return reference(logicalId, attribute.length === 0 ? undefined : attribute.join("."));
    });
    return replaced.replaceAll("${!", "${");
  }

  function condition(value: Json | undefined): boolean {
    if (typeof value === "string") {
      const conditions = isObject(root["resources"]) ? root["resources"]["Conditions"] : undefined;
      return condition(isObject(conditions) ? conditions[value] : undefined);
    }
    const resolved = value === undefined ? undefined : resolve(value);
    if (typeof resolved !== "boolean") throw fail("a condition that is neither true nor false, or isn't declared");
    return resolved;
  }

  /** A CloudFormation function's value, or undefined if the object is no function. */
  function intrinsic(name: string, argument: Json): Json | undefined {
    const list = Array.isArray(argument) ? argument : [argument];
    const [first, second, third] = list;
    switch (name) {
      case "Ref":
        return typeof argument === "string" ? reference(plain(string(argument), argument)) : undefined;
      case "Condition":
        return condition(argument);
      case "Fn::GetAtt": {
        const [logicalId = "", ...attribute] = list.map((part) => plain(resolve(part), name));
        return reference(logicalId, attribute.join("."));
      }
      case "Fn::Sub":
        return typeof first === "string" ? substitute(first, isObject(second) ? second : {}) : undefined;
      case "Fn::Join": {
        const parts = second === undefined ? undefined : resolve(second);
        return Array.isArray(parts)
          ? parts.map((part) => plain(part, name)).join(typeof first === "string" ? first : "")
          : undefined;
      }
      case "Fn::If":
        return resolve((condition(first) ? second : third) ?? null);
      case "Fn::Equals":
        return JSON.stringify(resolve(first ?? null)) === JSON.stringify(resolve(second ?? null));
      case "Fn::Not":
        return !condition(first);
      case "Fn::And":
        return list.every(condition);
      case "Fn::Or":
        return list.some(condition);
      default:
        if (name.startsWith("Fn::")) throw fail(`the local runtime doesn't know ${name}`);
        return undefined;
    }
  }

  function resolve(value: Json): Json {
    if (typeof value === "string") return string(value);
    if (Array.isArray(value)) return value.map(resolve).filter((item) => !isNoValue(item));
    if (!isObject(value)) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (only !== undefined && entries.length === 1 && !isNoValue(value)) {
      const result = intrinsic(only[0], only[1]);
      if (result !== undefined) return result;
    }
    const resolved = entries.map(([key, item]): [string, Json] => [key, isNoValue(item) ? item : resolve(item)]);
    return Object.fromEntries(resolved.filter(([, item]) => !isNoValue(item)));
  }

  return resolve;
}

/** `!Ref AWS::NoValue` takes the property away. */
function isNoValue(value: Json): boolean {
  return isObject(value) && value["Ref"] === "AWS::NoValue";
}
