/**
 * Holds a template to AWS's own resource schemas: finds here what CloudFormation would refuse half-way through a
 * deploy.
 */
import type { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";

import { isObject, listOf } from "./template.ts";
import type { Template } from "./template.ts";

type Spec = Awaited<ReturnType<typeof loadAwsServiceSpec>>;
const schemaOf = (spec: Spec, type: string) => spec.lookup("resource", "cloudFormationType", "equals", type)[0];
type Properties = NonNullable<ReturnType<typeof schemaOf>>["properties"];
type PropertyType = Properties[string]["type"];

/**
 * What AWS would refuse, each as a line that begins with the place: unknown resource types and properties, required
 * ones missing, values of another type, and references to what is not in the template. Values that only AWS knows
 * (`Ref` and functions) pass as any type.
 */
export function faultsOf(template: Template, spec: Spec): string[] {
  return Object.entries(template.Resources).flatMap(([id, resource]) => {
    const schema = schemaOf(spec, resource.Type);
    if (schema === undefined) return [`${id}: AWS knows no type ${resource.Type}`];
    return [
      ...faultsOfObject(resource.Properties, schema.properties, id, spec),
      ...referencesIn(resource.Properties).concat(listOf(resource.DependsOn).map(String))
        .filter((name) => !name.startsWith("AWS::") && !(name in template.Resources))
        .map((name) => `${id}: refers to ${name}, which is not in the template`),
      ...(resource.Condition !== undefined && !(resource.Condition in template.Conditions)
        ? [`${id}: no condition ${resource.Condition}`]
        : []),
    ];
  });
}

function faultsOfObject(value: Record<string, unknown>, properties: Properties, place: string, spec: Spec): string[] {
  const unknown = Object.keys(value).filter((key) => !(key in properties)).map((key) =>
    `${place}: unknown property ${key}`
  );
  const known = Object.entries(properties).flatMap(([key, { required = false, type }]) => {
    if (value[key] === undefined) return required ? [`${place}: ${key} is required`] : [];
    return faultsOfValue(value[key], type, `${place}.${key}`, spec);
  });
  return [...unknown, ...known];
}

function faultsOfValue(value: unknown, type: PropertyType, place: string, spec: Spec): string[] {
  if (isFunction(value)) return [];
  const is = (ok: boolean, what: string) => (ok ? [] : [`${place}: ${JSON.stringify(value)} is not ${what}`]);
  switch (type.type) {
    case "string":
      if (typeof value === "string" && type.allowedValues !== undefined) {
        return is(type.allowedValues.includes(value), `one of ${type.allowedValues.join(", ")}`);
      }
      return is(typeof value === "string", "a string");
    case "date-time":
      return is(typeof value === "string", "a time");
    case "integer":
      return is(Number.isInteger(value), "an integer");
    case "number":
      return is(typeof value === "number", "a number");
    case "boolean":
      return is(typeof value === "boolean", "true or false");
    case "null":
      return is(value === null, "null");
    case "json":
      return is(isObject(value) || typeof value === "string", "a JSON object");
    case "tag":
      return is(isObject(value) && "Key" in value && "Value" in value, "a tag");
    case "array":
      if (!Array.isArray(value)) return is(false, "a list");
      return value.flatMap((item, index) => faultsOfValue(item, type.element, `${place}[${String(index)}]`, spec));
    case "map":
      if (!isObject(value)) return is(false, "a map");
      return Object.entries(value).flatMap(([key, item]) =>
        faultsOfValue(item, type.element, `${place}.${key}`, spec)
      );
    case "ref":
      if (!isObject(value)) return is(false, "an object");
      return faultsOfObject(value, spec.get("typeDefinition", type.reference).properties, place, spec);
    case "union": {
      const each = type.types.map((one) => faultsOfValue(value, one, place, spec));
      return each.some((faults) => faults.length === 0) ? [] : (each[0] ?? []);
    }
  }
}

/** The names that Ref, GetAtt and Sub use within a value. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  const [name] = listOf(value["Fn::GetAtt"]);
  const own = [value["Ref"], typeof name === "string" ? name.split(".")[0] : undefined].filter((each) =>
    typeof each === "string"
  );
  const [text] = listOf(value["Fn::Sub"]);
  const inText = typeof text === "string"
    ? [...text.matchAll(/\$\{([^!}.][^}.]*)[^}]*\}/g)].map(([, found = ""]) => found)
    : [];
  return [...own, ...inText, ...Object.values(value).flatMap(referencesIn)];
}

function isFunction(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [key, ...more] = Object.keys(value);
  return key !== undefined && more.length === 0 && (key === "Ref" || key.startsWith("Fn::"));
}
