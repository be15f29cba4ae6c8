/** The rendered CloudFormation template, as plain data: what `serverless package` makes of serverless.yml. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import * as z from "zod";

import { functionNames } from "../../scripts/bundling/bundle.ts";
import { projectRoot } from "../../scripts/project-root.ts";
import { runServerless } from "../../scripts/bundling/serverless-cli.ts";

const resourceSchema = z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(), UpdateReplacePolicy: z.string().optional(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(), Condition: z.string().optional() });
const templateSchema = z.looseObject({ Resources: z.record(z.string(), resourceSchema),
  Conditions: z.record(z.string(), z.unknown()).default({}), Outputs: z.record(z.string(), z.unknown()).default({}) });

export type Resource = z.infer<typeof resourceSchema>;
export type Template = z.infer<typeof templateSchema>;

export interface Rendering {
  template: Template;
  /** The file names inside each function's zip. */
  zips: Record<string, string[]>;
}

/** Renders serverless.yml in a folder of its own, over empty bundles: neither .build nor .serverless is touched. */
export async function renderTemplate(stage: string, params: readonly string[] = []): Promise<Rendering> {
  const folder = await mkdtemp(path.join(tmpdir(), "template-"));
  try {
    const names = functionNames();
    for (const file of ["serverless.yml", "roles.yml", "alarms.yml"]) {
      await cp(path.join(projectRoot, file), path.join(folder, file));
    }
    await mkdir(path.join(folder, ".build"));
    for (const name of names) {
      await writeFile(path.join(folder, ".build", `${name}.mjs`), "export const handler = async () => {};\n");
      await writeFile(path.join(folder, ".build", `${name}.mjs.map`), "{}");
    }
    process.env["HOME"] = "/dev/null"; // a home that nothing can be written to
    const { code, output } = await runServerless(["package", "--stage", stage,
      ...params.flatMap((param) => ["--param", param])], { cwd: folder, show: false });
    if (code !== 0) throw new Error(`serverless package ended with ${String(code)}:\n${output}`);

    const packed = path.join(folder, ".serverless");
    const text = await readFile(path.join(packed, "cloudformation-template-update-stack.json"), "utf8");
    const zips: Record<string, string[]> = {};
    for (const name of names) zips[name] = namesInZip(await readFile(path.join(packed, `${name}.zip`)));
    return { template: templateSchema.parse(JSON.parse(text)), zips };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The names in a zip's central directory (APPNOTE 4.3.12: name length at 28, extra at 30, comment at 32, name at 46).
 */
function namesInZip(zip: Buffer): string[] {
  const names: string[] = [];
  const signature = Buffer.from([0x50, 0x4b, 0x01, 0x02]);
  for (let at = zip.indexOf(signature); at !== -1; at = zip.indexOf(signature, at + 46)) {
    names.push(zip.toString("utf8", at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  }
  return names;
}

/** The resources of a type, as [logical id, resource]. */
export function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** The value at a path of keys and indexes; undefined where there is none. */
export function at(value: unknown, ...keys: (string | number)[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) => (isObject(inner) || Array.isArray(inner) ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/**
 * A copy of the template with the value at a path replaced, or taken out if undefined. The path has to exist down to
 * its last key.
 */
export function withValue(template: Template, keys: readonly (string | number)[], value: unknown): Template {
  const copy = structuredClone(template);
  const last = keys.at(-1);
  const holder = at(copy, ...keys.slice(0, -1));
  if (last === undefined || !(isObject(holder) || Array.isArray(holder))) {
    throw new Error(`no such place in the template: ${keys.join(".")}`);
  }
  if (value === undefined) Reflect.deleteProperty(holder, last);
  else Reflect.set(holder, last, value);
  return copy;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** CloudFormation takes one or a list in many places. */
export function listOf(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
