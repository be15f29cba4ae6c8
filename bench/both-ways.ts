/** The service and the handbook's way, each behind the same API over the same Auth0 on this machine. */
import path from "node:path";

import { build } from "esbuild";

import { startApi } from "../local/aws/api-gateway.ts";
import { createLambda, type InvocationReport } from "../local/aws/lambda.ts";
import { LOCAL_CLIENT } from "../local/known-values.ts";
import { startStack, type Stack, type StackOptions } from "../local/stack.ts";
import policy from "../fixtures/policy.ts";
import { bundleFunctions, type FunctionBundle } from "../scripts/bundling/bundle.ts";
import { requiredBuiltIns } from "../scripts/bundling/start-plugins.ts";
import { projectRoot } from "../scripts/project-root.ts";
import { roleNames } from "../tenant/role-names.ts";

/** Both, running. */
export type BothWays = Awaited<ReturnType<typeof startBothWays>>;

const FOLDER = path.join(projectRoot, ".build/bench");
/** What the handbook's function becomes. */
export const HANDBOOK_BUNDLE = path.join(FOLDER, "handbook.mjs");
/** Handbook's functions at once: as many as this machine bears. */
const HANDBOOK_WORKERS = 16;

/** The bundles, and what the handbook's function becomes in the same way. */
export async function bundled(): Promise<readonly FunctionBundle[]> {
  await build({ entryPoints: [path.join(projectRoot, "bench/handbook-function.ts")], outfile: HANDBOOK_BUNDLE,
    bundle: true, platform: "node", target: "node24", format: "esm", minify: true, mainFields: ["module", "main"],
    logLevel: "error", plugins: [requiredBuiltIns],
    banner: { js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);' } });
  return bundleFunctions({ outdir: FOLDER, policy: path.join(projectRoot, "fixtures/policy.ts") });
}

/** Starts both; a call of Auth0's takes `latency` ms. `onReport` is told of the handbook's invocations, too. */
export async function startBothWays(latency: number, options: Partial<StackOptions> = {}) {
  const stack = await startStack({ bundlesDir: FOLDER, roles: roleNames(policy), auth0: { latency }, ...options });
  const { id: role } = stack.auth0.addRole("handbook");
  const lambda = createLambda({ name: "handbook", bundle: HANDBOOK_BUNDLE, exportName: "handler", timeoutMs: 30_000,
    memoryMb: 512, maxWorkers: HANDBOOK_WORKERS, clock: new SharedArrayBuffer(8),
    onReport: (report: InvocationReport) => options.onReport?.("handbook", report),
    environment: () => ({ TENANT_URL: stack.auth0.url, CLIENT_ID: LOCAL_CLIENT.id, CLIENT_SECRET: LOCAL_CLIENT.secret,
      ROLE_ID: role }) });
  const api = await startApi({ port: 0, routes: [["POST /handbook", lambda]] });
  return { stack, service: sideOf(stack, stack.pingUrl, () => stack.crash("ping"), () => stack.sqs.idle(600_000)),
    handbook: sideOf(stack, `${api.url}/handbook`, () => lambda.crash("all"), async () => Promise.resolve()),
    stop: async () => {
      await api.stop();
      await lambda.stop();
      await stack.stop();
    } };
}

function sideOf({ auth0 }: Stack, url: string, cool: () => Promise<void>, settled: () => Promise<void>) {
  return {
    /** Posts a ping; gives how it was answered, and in how many ms. */
    post: async (body: string) => {
      const began = performance.now();
      const { status } = await fetch(url, { method: "POST", body,
        headers: { "content-type": "application/x-www-form-urlencoded" } });
      return { status, ms: performance.now() - began };
    },
    /** Until all that came in is done. */
    settled,
    /** The next ping meets a cold start. */
    cool,
    /** Calls of Auth0 so far: of the Management API, and for tokens. */
    calls: () => ({ management: auth0.calls.filter(({ api }) => api === "management").length,
      token: auth0.calls.filter(({ api }) => api === "token").length }),
  };
}
