import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startLoopbackServer } from "../../local/aws/loopback.ts";
import { readFunctionLog } from "../../local/function-log.ts";
import { readStackFile, removeStackFile, type StackFile, writeStackFile } from "../../local/stack-file.ts";
import { environmentWith, readStartSettings } from "../../local/start-settings.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "start-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the settings of npm start", () => {
  const none = { domain: undefined, clientId: undefined, clientSecret: undefined };

  it("have defaults", () => {
    expect(readStartSettings([], { PORT: "" })).toEqual({ port: 3000, auth0Port: 3001, gumroadPort: 3002,
      readBack: false, dataDir: undefined, tenant: none, params: {} });
  });

  it("take ports, the data folder and a tenant", () => {
    const environment = { SIGNUP: "closed", ROLES_CLAIM: "", PORT: "4000", AUTH0_PORT: "0", GUMROAD_PORT: "4002",
      AUTH0_DOMAIN: "acme.eu.auth0.com", AUTH0_CLIENT_ID: "id", AUTH0_CLIENT_SECRET: "s" };
    expect(readStartSettings(["--data", ".local", "--read-back"], environment)).toEqual({ port: 4000, auth0Port: 0,
      gumroadPort: 4002, readBack: true, dataDir: ".local",
      tenant: { domain: "acme.eu.auth0.com", clientId: "id", clientSecret: "s" }, params: { signUp: "closed" } });
    expect(readStartSettings(["--help"], {})).toBe("help");
  });

  it("need no client for a proxy on this machine: the emulator's is meant", () => {
    expect(readStartSettings([], { AUTH0_DOMAIN: "http://127.0.0.1:5000" })).toMatchObject({
      tenant: { domain: "http://127.0.0.1:5000" },
    });
  });

  it.each([
    { args: [], environment: { PORT: "abc" }, message: "PORT=abc is no port" },
    { args: [], environment: { AUTH0_PORT: "70000" }, message: "AUTH0_PORT=70000 is no port" },
    { args: [], environment: { PORT: "3001" }, message: "PORT and AUTH0_PORT are both 3001" },
    { args: [], environment: { GUMROAD_PORT: "-1" }, message: "GUMROAD_PORT=-1 is no port" },
    { args: [], environment: { GUMROAD_PORT: "3000" }, message: "PORT and GUMROAD_PORT are both 3000" },
    { args: [], environment: { AUTH0_PORT: "3002" }, message: "AUTH0_PORT and GUMROAD_PORT are both 3002" },
    { args: ["--read-back=yes"], environment: {}, message: "--read-back" },
    { args: ["--dta", "x"], environment: {}, message: "Unknown option '--dta'; see npm start -- --help" },
    { args: ["stray"], environment: {}, message: "Unexpected argument 'stray'" },
    { args: ["--data"], environment: {}, message: "--data" },
    { args: ["--data", ""], environment: {}, message: "--data needs a folder" },
    { args: [], environment: { AUTH0_DOMAIN: "acme.eu.auth0.com" },
      message: "AUTH0_DOMAIN is acme.eu.auth0.com, so AUTH0_CLIENT_ID has to be set too" },
    { args: [], environment: { GETTING_IN: "mail" }, message: "GETTING_IN=mail: it takes invite, passwordless, none" },
    { args: [], environment: { SIGNUP: "close" },
      message: "SIGNUP=close: it takes open, closed; did you mean closed?" },
    { args: [], environment: { ACCESS: "groups" }, message: "ACCESS=groups: it takes roles, app_metadata" },
    { args: [], environment: { AUTH0_DOMAIN: "http://acme.example.com" },
      message: "AUTH0_DOMAIN=http://acme.example.com is no host name" },
  ])("are refused in one line: $message", ({ args, environment, message }) => {
    expect(() => readStartSettings(args, environment)).toThrow(
      expect.objectContaining({ code: "BAD_SETTING", message: expect.stringMatching(/^[^\n]+$/) }),
    );
    expect(() => readStartSettings(args, environment)).toThrow(message);
  });

  it("come from .env too, below the environment", () => {
    const file = path.join(folder, ".env");
    expect(environmentWith(file, { PORT: "1" })).toEqual({ PORT: "1" });
    writeFileSync(file, "PORT=2\nAUTH0_PORT=3 # a comment\n");
    expect(environmentWith(file, { PORT: "1" })).toEqual({ PORT: "1", AUTH0_PORT: "3" });
    expect(() => environmentWith(folder, {})).toThrow(".env can't be read");
  });
});

describe("the stack file", () => {
  const content: StackFile = { pid: process.pid, url: "http://127.0.0.1:1", pingUrl: "http://127.0.0.1:1/ping/local",
    auth0: { domain: "http://127.0.0.1:2", emulator: null },
    gumroad: { emulator: "http://127.0.0.1:5", readBack: true }, sqs: { endpoint: "http://127.0.0.1:3", queues: {} },
    dynamodb: { endpoint: "http://127.0.0.1:4", tables: {} }, lambda: { endpoint: "http://127.0.0.1:1" },
    secretsmanager: { endpoint: "http://127.0.0.1:1" }, access: "roles", gettingIn: "invite", logs: "x.log" };

  it("tells of the stack on a port until it is taken away", () => {
    const file = writeStackFile(folder, 1, content);
    expect(readStackFile(folder, 1)).toEqual(content);
    expect(readStackFile(folder, 2)).toBeUndefined();
    removeStackFile(file);
    expect(readStackFile(folder, 1)).toBeUndefined();
  });

  it("counts for nothing once its process is gone", () => {
    writeStackFile(folder, 1, { ...content, pid: 99_999_999 });
    expect(readStackFile(folder, 1)).toBeUndefined();
  });
});

describe("a function's log line", () => {
  const noise = { timestamp: "t", service: "s", sampling_rate: 0, function_request_id: "r" };

  it("is one short line for the console, and kept whole with the function's name", () => {
    const line = JSON.stringify({ level: "WARN", message: "throttled", ...noise, buyer: "71d4", roles: ["club"],
      none: [], error: { name: "Error", message: "why" } });
    const { short, json } = readFunctionLog("provision", line);
    expect(short).toBe('provision: WARN throttled  buyer=71d4  roles=["club"]  Error: why');
    expect(JSON.parse(json)).toMatchObject({ function: "provision", message: "throttled", service: "s" });
  });

  it("is not shown where it is a metric or debug output, but kept", () => {
    expect(readFunctionLog("ping", '{"_aws":{},"Pings":1}').short).toBeUndefined();
    expect(readFunctionLog("ping", '{"level":"DEBUG","message":"m"}').short).toBeUndefined();
  });

  it.each(["plain text", "{broken"])("may be no JSON: %s", (line) => {
    expect(readFunctionLog("ping", line)).toEqual({ short: `ping: ${line}`,
      json: JSON.stringify({ function: "ping", text: line }) });
  });
});

describe("npm start", () => {
  const root = path.resolve(import.meta.dirname, "../..");
  let child: ChildProcess;
  let output = "";
  const start = (environment: NodeJS.ProcessEnv, ...args: string[]) => {
    output = "";
    child = spawn(process.execPath, ["local/start.ts", ...args], { cwd: root,
      env: { PATH: process.env["PATH"], ...environment } });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (part: string) => (output += part));
    }
    return new Promise<number | null>((resolve) => child.once("close", resolve));
  };
  const ready = () =>
    new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", () => {
        if (/^ready/m.test(output)) resolve();
      });
      child.once("close", () => reject(new Error(output)));
    });

  it("has a token of its own where a real tenant hangs on it", async () => {
    const closed = start({ PORT: "0", AUTH0_PORT: "0", GUMROAD_PORT: "0", AUTH0_DOMAIN: "acme.eu.auth0.com",
      AUTH0_CLIENT_ID: "id", AUTH0_CLIENT_SECRET: "secret" });
    await ready();
    const pingUrl = String(/^Ping URL +(http:\/\/127\.0\.0\.1:\d+\/ping\/[\w-]{32})$/m.exec(output)?.[1]);
    expect(output).toContain(`npm run replay -- fixtures/pings/sale.txt --to ${pingUrl}`);
    const posted = async (url: string) => (await fetch(url, { method: "POST", body: "a=b" })).status;
    expect(await posted(pingUrl.replace(/[^/]+$/, "local"))).toBe(401);
    child.kill("SIGTERM");
    expect(await closed).toBe(0);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("prints where everything is, then ready; %s ends it with 0",
    async (signal) => {
      const closed = start({ PORT: "0", AUTH0_PORT: "0", GUMROAD_PORT: "0" }, "--data", folder,
        ...(signal === "SIGINT" ? ["--read-back"] : []));
      await ready();
      const pingUrl = /^Ping URL +(http:\/\/127\.0\.0\.1:\d+\/ping\/local)$/m.exec(output)?.[1];
      const answer = await fetch(String(pingUrl), { method: "GET" });
      expect(answer.status).toBe(404);
      child.kill(signal);
      expect(await closed).toBe(0);
      expect(output).toMatch(
        /^Auth0 +http:\/\/127\.0\.0\.1:\d+ \(emulator; client local-client, secret local-secret\)$/m,
      );
      const trust = signal === "SIGINT"
        ? "purchases are read back"
        : "pings are taken on trust; with npm start -- --read-back purchases are read back";
      expect(output).toMatch(new RegExp(`^Gumroad +http://127\\.0\\.0\\.1:\\d+ \\(emulator; ${trust}\\)$`, "m"));
      expect(output).toMatch(/\nstopped\n$/);
      expect(existsSync(path.join(root, ".local/bundles", String(child.pid)))).toBe(false);
    });

  it.each(["PORT", "GUMROAD_PORT"])("says in one line that the port of %s is taken, and exits 1", async (setting) => {
    const other = await startLoopbackServer({ port: 0 }, () => undefined);
    const { port } = other;
    const code = await start({ PORT: "0", AUTH0_PORT: "0", GUMROAD_PORT: "0", [setting]: String(port) });
    await other.stop();
    expect({ code, output }).toEqual({ code: 1,
      output: `npm start: port ${String(port)} is taken by another process; choose another with ${setting}\n` });
  });
});
