import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { build } from "esbuild";
import { stringify } from "yaml";
import * as z from "zod";

import { FILES, tenantAssets, type TenantSettings } from "../tenant/tenant.ts";
import type { Policy } from "../src/access/policy.ts";
import { projectRoot } from "./project-root.ts";
import { ConfigError } from "../src/errors.ts";

/** Auth0 takes Actions of up to 100 kB. */
const LARGEST_ACTION_BYTES = 100_000;

const text = z.string().min(1);
const url = z.url({ protocol: /^https?$/ });
/** Auth0 drops claims under its own names in silence. */
const claim = z.url({ protocol: /^https?$/ }).refine((name) => !/(^|\.)(auth0|webtask)\.(com|io)$/i.test(hostOf(name)),
  "must be under a domain of yours, not Auth0's");
const settingsShape: z.ZodType<TenantSettings> = z.strictObject({ connection: text,
  api: z.strictObject({ name: text, identifier: text }),
  app: z.strictObject({ name: text, url, callbacks: z.array(url).min(1), logoutUrls: z.array(url).min(1),
    origins: z.array(url).min(1) }), rolesClaim: claim, bindUrl: z.nullable(z.url({ protocol: /^https$/ })),
  otherApps: z.array(text), otherLoginActions: z.array(text), ownEmailProvider: z.boolean() });

/**
 * Checks a stage's settings.
 * @throws {ConfigError} TENANT_UNKNOWN_STAGE or TENANT_SETTINGS, naming what to mend in tenant/settings.ts
 */
export function tenantSettings(all: Readonly<Record<string, unknown>>, stage: string): TenantSettings {
  if (!Object.hasOwn(all, stage)) {
    throw new ConfigError("TENANT_UNKNOWN_STAGE",
      `tenant/settings.ts has no stage "${stage}", only: ${Object.keys(all).join(", ")}.`);
  }
  const parsed = settingsShape.safeParse(all[stage]);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError("TENANT_SETTINGS",
      `tenant/settings.ts, ${[stage, ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "is wrong"}.`);
  }
  if (/\bexample\.com\b/.test(JSON.stringify(parsed.data))) {
    throw new ConfigError("TENANT_SETTINGS",
      `tenant/settings.ts still says example.com for ${stage}: put your own addresses there.`);
  }
  return parsed.data;
}

/** The two files that steer the import, as text. */
export interface TenantFiles {
  readonly tenantYaml: string;
  readonly configJson: string;
}

/** What `auth0-deploy-cli` imports: the tenant, and a configuration that deletes nothing and touches nothing else. */
export function tenantFiles(settings: TenantSettings, policy: Policy): TenantFiles {
  const assets = tenantAssets(settings, policy);
  return { tenantYaml: stringify(assets, { lineWidth: 0 }),
    configJson: `${
      JSON.stringify({ AUTH0_ALLOW_DELETE: false, AUTH0_INCLUDED_ONLY: Object.keys(assets) }, null, 2)
    }\n` };
}

/**
 * The post-login Action as Auth0 takes it: one CommonJS file, not minified, because the dashboard shows it.
 * @throws {ConfigError} TENANT_ACTION_TOO_LARGE
 */
export async function compiledAction(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: projectRoot,
    entryPoints: ["tenant/actions/post-login.ts"],
    bundle: true,
    write: false,
    platform: "node",
    target: "node22",
    // Auth0 looks for `exports.onExecutePostLogin`; esbuild's own CommonJS would replace `module.exports`.
    format: "iife",
    globalName: "action",
    footer: { js: "exports.onExecutePostLogin = action.onExecutePostLogin;" },
    logLevel: "silent",
  });
  const code = outputFiles[0]?.text ?? "";
  if (Buffer.byteLength(code) > LARGEST_ACTION_BYTES) {
    throw new ConfigError("TENANT_ACTION_TOO_LARGE",
      "The compiled post-login Action is larger than the 100 kB that Auth0 takes.");
  }
  return code;
}

/**
 * Writes all that the import needs into a folder, and gives the paths of the configuration and of the tenant's file.
 */
export async function writeTenant(folder: string, settings: TenantSettings,
  policy: Policy): Promise<{ readonly config: string; readonly input: string }> {
  const { tenantYaml, configJson } = tenantFiles(settings, policy);
  const written = { config: path.join(folder, "config.json"), input: path.join(folder, "tenant.yaml") };
  const files = new Map([
    [written.config, configJson],
    [written.input, tenantYaml],
    [path.join(folder, FILES.action), await compiledAction()],
    [path.join(folder, FILES.passwordMail),
      await readFile(path.join(projectRoot, "tenant", FILES.passwordMail), "utf8")],
  ]);
  for (const [file, content] of files) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return written;
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : "";
}
