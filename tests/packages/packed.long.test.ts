import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync,
  writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import * as z from "zod";

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, "../..");
const PACKAGES = ["emulator-server", "auth0-emulator", "gumroad-emulator"];

const Token = z.object({ access_token: z.string() });

let folder: string;
/** A project that has the packed packages as npm would have installed them, with no TypeScript and nothing of ours. */
let project: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "packed-"));
  // A copy: while it is packed, a package.json leads to what is built.
  const copy = path.join(folder, "copy");
  for (const part of ["packages", "tsconfig.json", "LICENSE", "package.json"]) {
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  mkdirSync(path.join(copy, "node_modules"));
  for (const name of readdirSync(path.join(root, "node_modules"))) {
    const target = PACKAGES.includes(name) ? path.join(copy, "packages", name) : path.join(root, "node_modules", name);
    symlinkSync(target, path.join(copy, "node_modules", name));
  }
  project = path.join(folder, "project");
  const modules = path.join(project, "node_modules");
  for (const name of PACKAGES) {
    const from = path.join(copy, "packages", name);
    const before = readFileSync(path.join(from, "package.json"), "utf8");
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: from });
    expect(readFileSync(path.join(from, "package.json"), "utf8")).toBe(before);
    mkdirSync(path.join(modules, name), { recursive: true });
    await run("tar", ["-xzf", path.join(folder, stdout.trim()), "-C", path.join(modules, name),
      "--strip-components=1"]);
  }
  const dependencies = PACKAGES.flatMap((name) => {
    const text = readFileSync(path.join(modules, name, "package.json"), "utf8");
    return [...text.matchAll(/"([\w@/-]+)": "\d+\.\d+\.\d+"/g)].map(([, dependency = ""]) => dependency);
  });
  for (const name of new Set(dependencies)) {
    if (PACKAGES.includes(name)) continue;
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
    symlinkSync(path.join(root, "node_modules", name), path.join(modules, name));
  }
  writeFileSync(path.join(project, "package.json"), '{ "type": "module" }');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a package's command; resolves with what it printed once it runs. */
async function command(name: string, ...args: string[]) {
  const { bin } = JSON.parse(readFileSync(path.join(project, "node_modules", name, "package.json"), "utf8"));
  const child = spawn(process.execPath, [path.join(project, "node_modules", name, bin[name]), ...args], { cwd: project,
    env: { PATH: process.env["PATH"] } });
  children.push(child);
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  let output = "";
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (part: string) => {
        output += part;
        if (output.includes("Ctrl-C ends it.")) resolve();
      });
    }
    void closed.then(() => resolve());
  });
  await ready;
  return { output: () => output, closed, stop: () => child.kill("SIGINT") };
}

describe("a packed package, alone in a project", () => {
  it("holds JavaScript and types, a README and a licence, and none of the sources", async () => {
    for (const name of PACKAGES) {
      const files = readdirSync(path.join(project, "node_modules", name));
      expect(files.sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
      const dist = readdirSync(path.join(project, "node_modules", name, "dist"), { recursive: true }).map(String);
      expect(dist.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))).toEqual([]);
    }
  });

  it("starts an Auth0 tenant that answers, and ends at Ctrl-C with 0", async () => {
    const auth0 = await command("auth0-emulator", "--port", "0", "--roles", "a, b", "--plan", "free");
    const url = String(/^Tenant +(http:\S+)$/m.exec(auth0.output())?.[1]);
    expect(auth0.output()).toMatch(/^Roles +a, b$/m);
    const body = { grant_type: "client_credentials", client_id: "local-client", client_secret: "local-secret",
      audience: `${url}/api/v2/` };
    const asked = await fetch(`${url}/oauth/token`, { method: "POST", body: JSON.stringify(body),
      headers: { "content-type": "application/json" } });
    const token = Token.parse(await asked.json());
    const answer = await fetch(`${url}/api/v2/roles`, { headers: { authorization: `Bearer ${token.access_token}` } });
    expect(answer.headers.get("x-ratelimit-limit")).toBe("2");
    expect(await answer.json()).toMatchObject([{ name: "a" }, { name: "b" }]);
    auth0.stop();
    expect(await auth0.closed).toBe(0);
  });

  it("lets people log in where a page is named", async () => {
    const auth0 = await command("auth0-emulator", "--port", "0", "--login", "http://127.0.0.1:8080/");
    const url = String(/^Tenant +(http:\S+)$/m.exec(auth0.output())?.[1]);
    const settings = await (await fetch(`${url}/.well-known/openid-configuration`)).json();
    expect(settings).toMatchObject({ authorization_endpoint: `${url}/authorize` });
  });

  it("starts a shop that sells and pings, and ends at Ctrl-C with 0", async () => {
    const shop = await command("gumroad-emulator", "--port", "0", "--events-url", "http://127.0.0.1:1/ping");
    const url = String(/^Shop +(http:\S+)$/m.exec(shop.output())?.[1]);
    const body = JSON.stringify({ product: "serverless-handbook", email: "ann@example.com" });
    const sold = await (await fetch(`${url}/_emulator/acts/sell`, { method: "POST", body })).json();
    expect(sold).toMatchObject({ sales: [{ email: "ann@example.com" }],
      pings: [{ event: "sale", outcome: "unreachable" }] });
    shop.stop();
    expect(await shop.closed).toBe(0);
  });

  it.each([
    { name: "auth0-emulator", args: ["--plan", "gold"], says: "auth0-emulator: --plan gold: it takes" },
    { name: "auth0-emulator", args: ["--prt", "1"], says: "auth0-emulator: Unknown option '--prt'" },
    { name: "gumroad-emulator", args: ["--port", "x"], says: "gumroad-emulator: --port x is no port" },
  ])("says in one line what it can't do: $name $args", async ({ name, args, says }) => {
    const { output, closed } = await command(name, ...args);
    expect(await closed).toBe(1);
    expect(output()).toContain(says);
    expect(output().trimEnd().split("\n")).toHaveLength(1);
  });

  it("explains itself", async () => {
    const { output, closed } = await command("gumroad-emulator", "--help");
    expect(await closed).toBe(0);
    expect(output()).toContain("--ping-url");
  });

  it("has types that a stranger's strict project accepts", async () => {
    writeFileSync(path.join(project, "use.mts"),
      'import { startAuth0Emulator } from "auth0-emulator";\nimport { startGumroadEmulator } from ' +
        '"gumroad-emulator";\n' +
        'const auth0 = await startAuth0Emulator({ roles: ["a"] });\nconst roles: string[] = ' +
        'auth0.rolesOfEmail("a");\n' +
        'const shop = await startGumroadEmulator();\nconst id: string = shop.sell({ product: "p", email: "e" ' +
        "}).sale.id;\n" +
        "// @ts-expect-error The types are there: no number.\nconst wrong: number = " +
        "shop.url;\nconsole.log(roles, id, wrong);\n");
    const tsc = path.join(root, "node_modules/.bin/tsc");
    const { stdout } = await run(tsc, ["--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2024",
      "--noEmit", "--types", "node", "--typeRoots", path.join(root, "node_modules/@types"), "use.mts"], {
      cwd: project,
    }).catch((error: unknown) => ({ stdout: JSON.stringify(error) }));
    expect(stdout).toBe("");
  });
});
