import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
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
    { args: [], environment: { SINGUP: "closed" }, message: "there is no setting SINGUP; did you mean SIGNUP?" },
    { args: [], environment: { AUTHO_DOMAIN: "acme.eu.auth0.com" }, message: "did you mean AUTH0_DOMAIN?" },
    { args: [], environment: { ACCESS: "groups" }, message: "ACCESS=groups: it takes roles, app_metadata" },
    { args: [], environment: { AUTH0_DOMAIN: "http://acme.example.com" },
      message: "AUTH0_DOMAIN=http://acme.example.com is no host name" },
  ])("are refused in one line: $message", ({ args, environment, message }) => {
    expect(() => readStartSettings(args, environment)).toThrow(
      expect.objectContaining({ code: "BAD_SETTING", message: expect.stringMatching(/^[^\n]+$/) }),
    );
    expect(() => readStartSettings(args, environment)).toThrow(message);
  });

  it("leave other programs' names alone, also near ones where ours is set", () => {
    const environment = { SIGNIN: "x", SORT: "x", LOGNAME: "ann", PATH: "/bin", LOGLEVEL: "debug", LOG_LEVEL: "INFO" };
    expect(readStartSettings([], environment)).toMatchObject({ params: { logLevel: "INFO" } });
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

  it.each([JSON.stringify({ message: "m", retry: "\u001b]52;c;cm0gLXJm\u0007\n12:00  ready" }),
    JSON.stringify({ message: "m", list: ["\u009b31m\u202e"] }), "plain \u001b]0;title\u0007\u001b[2J"])(
      "tells the terminal nothing, and is one line: %j",
      (line) => expect(readFunctionLog("ping", line).short).toMatch(/^ping: [ -~]+$/),
    );

  it("is not shown where it is a metric or debug output, but kept", () => {
    expect(readFunctionLog("ping", '{"_aws":{},"Pings":1}').short).toBeUndefined();
    expect(readFunctionLog("ping", '{"level":"DEBUG","message":"m"}').short).toBeUndefined();
  });

  it.each(["plain text", "{broken"])("may be no JSON: %s", (line) => {
    expect(readFunctionLog("ping", line)).toEqual({ short: `ping: ${line}`,
      json: JSON.stringify({ function: "ping", text: line }) });
  });
});
