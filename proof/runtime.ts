/**
 * `npm run proof:runtime`: the zips that deploy, unpacked where no library of the project can be found, under
 * `aws-lambda-ric`, which is what Lambda itself runs functions with. The same story is played on them and on the local
 * runtime: both have to answer the same, and to leave the same roles behind.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import { LOCAL_TOKEN } from "../local/known-values.ts";
import { startStack, type Stack } from "../local/stack.ts";
import { functionNames } from "../scripts/bundling/bundle.ts";
import { prepare } from "../scripts/bundling/prepare.ts";
import { runServerless } from "../scripts/bundling/serverless-cli.ts";
import { projectRoot } from "../scripts/project-root.ts";
import policy from "../src/products.ts";
import { roleNames } from "../tenant/role-names.ts";
import { install, npm } from "./install.ts";
import { type ClientLambda, clientLambda } from "./lambda-client.ts";

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Its native part is built here, from what the package holds: that takes cmake, a C++ compiler and Node's headers. */
function buildClient(): void {
  install();
  if (existsSync(path.join(import.meta.dirname, "node_modules/aws-lambda-ric/rapid-client.node"))) return;
  say("Building aws-lambda-ric's native part (once; some minutes) …");
  // Without any, node-gyp downloads them. Node-API is the same in each: the headers may be another Node's.
  const headers = [path.resolve(process.execPath, "../.."), "/usr/local", "/usr"].find((folder) =>
    existsSync(path.join(folder, "include/node/common.gypi"))
  );
  npm(["rebuild", "aws-lambda-ric", "--loglevel=error"], headers === undefined ? {} : { npm_config_nodedir: headers });
}

/** Packages as a deployment does; the folder with what the zips held. */
async function packaged(): Promise<string> {
  await prepare(() => undefined, { stage: "dev", params: {} });
  const { code, output } = await runServerless(["package", "--stage", "dev"], { show: false });
  if (code !== 0) throw new Error(`serverless package ended with ${String(code)}:\n${output}`);
  const folder = mkdtempSync(path.join(tmpdir(), "zips-"));
  for (const name of functionNames()) {
    const { status } = spawnSync("unzip", ["-qo", path.join(projectRoot, `.serverless/${name}.zip`), "-d", folder], {
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) throw new Error(`${name}.zip could not be unpacked with unzip: see what it said above.`);
  }
  return folder;
}

/** What somebody was told, without what no two runs have in common. */
interface Told {
  readonly what: string;
  readonly status: number;
  readonly body: string;
}

const LICENCE = "0A1B2C3D-4E5F6A7B-8C9D0E1F-2A3B4C5D";
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;
/** What no two runs have in common: a token, a moment. */
const OWN = new RegExp(`${TOKEN.source}|20\\d\\d-[\\d:.T-]+Z`, "g");

/** One story that calls every function, and each in more than one way. */
async function story(stack: Stack): Promise<readonly Told[]> {
  try {
    return await playedOn(stack);
  } finally {
    await stack.stop();
  }
}

async function playedOn(stack: Stack): Promise<readonly Told[]> {
  const told: Told[] = [];
  const ask = async (what: string, route: string, body?: string, token?: string) => {
    const [method = "", at = ""] = route.split(" ");
    const answer = await fetch(`${stack.url}${at}`, { method, body: body ?? null,
      headers: { "content-type": body?.startsWith("{") === true ? "application/json"
        : "application/x-www-form-urlencoded", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } });
    const text = await answer.text();
    told.push({ what: `${route}: ${what}`, status: answer.status, body: text.replaceAll(OWN, "…") });
    return TOKEN.exec(text)?.[0] ?? "";
  };
  const settle = async (what: string) => {
    await stack.gumroad.settled();
    await stack.sqs.idle();
    told.push({ what, status: 0, body: JSON.stringify(stack.auth0.users().map(({ email, roles }) => [email, roles])) });
  };
  const person = (username: string, password: string) => JSON.stringify({ username, password });

  const { sale } = stack.gumroad.sell({ product: "serverless-handbook", email: "ann@example.com",
    ids: { licenseKey: LICENCE } });
  await settle("somebody buys");
  await ask("a stranger", "POST /ping/wrong", "a=b");
  await ask("no sale", `POST /ping/${LOCAL_TOKEN}`, "a=b");
  await ask("known", "POST /bind", JSON.stringify({ user_id: "auth0|1", email: "ann@example.com",
    email_verified: true }), LOCAL_TOKEN);
  await ask("a stranger", "POST /bind", "{}", "wrong");
  await ask("signs up", "POST /login", person("cy", "plum-tree-at-noon"));
  await ask("logs in", "POST /login", person("cy", "plum-tree-at-noon"));
  await ask("a wrong password", "POST /login", person("cy", "pear-tree-at-noon"));
  await ask("a bad password", "POST /login", person("di", "123"));
  await ask("another password", "POST /password", JSON.stringify({ username: "cy", password: "plum-tree-at-noon",
    newPassword: "apple-tree-at-noon" }));
  const mine = await ask("logs in anew", "POST /login", person("cy", "apple-tree-at-noon"));
  await ask("a token", "POST /verify", JSON.stringify({ token: mine }));
  await ask("no token", "POST /verify", JSON.stringify({ token: "a.b.c" }));
  await ask("logged in", "GET /private", undefined, mine);
  await ask("nobody", "GET /private");
  await ask("who bought nothing", "GET /private/serverless-handbook", undefined, mine);
  await ask("a licence key", "POST /claim", JSON.stringify({ licenseKey: LICENCE }), mine);
  await ask("no licence key", "POST /claim", "{}", mine);
  await ask("nobody", "POST /claim", JSON.stringify({ licenseKey: LICENCE }));
  await settle("a claim is worked off");
  await ask("logged in", "GET /claim", undefined, mine);
  const swept = await stack.invoke("reconcile");
  // Which sweep comes first depends on the millisecond.
  told.push({ what: "reconcile", status: 0,
    body: swept.kind === "answer" ? swept.payload.match(/"due":\d+|\{"sweep"[^}]*\}/g)?.sort().join() ?? "" : swept.kind });
  stack.gumroad.refund(sale);
  await settle("the money goes back");
  return told;
}

buildClient();
const folder = await packaged();
const bundlesDir = path.join(folder, ".build");
const under = new Map<string, ClientLambda>();
try {
  const logged: string[] = [];
  const common = { bundlesDir, roles: roleNames(policy), maxWorkers: 1, readBack: true };
  const expected = await story(await startStack(common));
  const answered = await story(await startStack({ ...common, onLog: (key, line) => logged.push(`${key}: ${line}`),
    makeLambda: (options) => {
      const made = clientLambda(options);
      under.set(path.basename(options.bundle, ".mjs"), made);
      return made;
    } }));
  const wrong = answered.filter((told, nth) => told.status >= 500 || !isDeepStrictEqual(told, expected[nth]));
  for (const told of wrong) {
    say(`${told.what}: ${String(told.status)} ${told.body}, and on the local runtime ${
      JSON.stringify(expected.find(({ what }) => what === told.what))}`);
  }
  if (wrong.length > 0) say(logged.slice(-20).join("\n"));
  const idle = functionNames().filter((name) => under.get(name)?.startedMs === undefined);
  for (const name of idle) say(`${name} was never called`);
  for (const [name, { startedMs = 0 }] of under) say(`${name.padEnd(9)} ready after ${startedMs.toFixed(0)} ms`);
  say(`${String(under.size)} packaged functions under aws-lambda-ric: ${String(answered.length)} steps, ${
    String(wrong.length + idle.length)} wrong`);
  process.exitCode = wrong.length + idle.length === 0 && answered.length === expected.length ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
