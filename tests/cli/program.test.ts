import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough, Writable } from "node:stream";
import { json } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import * as z from "zod";

import { failureOf } from "../../cli/failures.ts";
import { makeOutput, wantsColours } from "../../cli/terminal/output.ts";
import { pingUrl, tokenIn, withoutToken } from "../../cli/pings/ping-url.ts";
import { table } from "../../cli/terminal/table.ts";
import { wrapped } from "../../cli/terminal/wrapped.ts";
import { terminalQuestions } from "../../cli/terminal/questions.ts";
import { openStage } from "../../cli/stage/open.ts";
import { planOf } from "../../cli/pings/subscription-plan.ts";
import { type LoopbackServer, readBody, startLoopbackServer } from "../../local/aws/loopback.ts";
import { ConfigError, NeedsPersonError, TemporaryError } from "../../src/errors.ts";
import { cli } from "./local-cli.ts";
import { CATALOGUE } from "../../cli/commands/catalogue.ts";
import manifest from "../../package.json" with { type: "json" };

const COMMANDS = ["setup", "products", "doctor", "smoke"];
const MOSTLY_NEEDED = ["setup", "doctor", "status", "explain", "grant"];

describe("the command line", () => {
  it("shows all commands and what the exit codes mean", async () => {
    const { code, out } = await cli("--help");
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(out).toContain(`\n  ${command}`);
    expect(out).toContain(
      "Exit codes: 0 done; 1 done with findings, or failed; 2 the command line or a setting is wrong, nothing was " +
        "done.",
    );
  });

  it.each(CATALOGUE.flatMap(([, commands]) => commands.map(({ name }) => name)))(
    "wraps the help of %s at the terminal's width",
    async (command) => {
      const { out } = await cli(`${command} --help`, { columns: 60 });
      expect(out).toContain("nothing was done");
      expect(out.split("\n").filter((line) => line.length > 60)).toEqual([]);
    },
  );

  it("wraps a mistake, too", async () => {
    const { err } = await cli("doctor", { columns: 40 });
    expect(err).toBe("gumroad-auth0: nothing runs on port\n  3000: start it with npm start");
  });

  it("shows first the five commands that most people need", async () => {
    const { out } = await cli("--help");
    expect([...out.matchAll(/^  ([a-z]+) +[a-z]/gm)].map(([, name]) => name).slice(0, 5)).toEqual(MOSTLY_NEEDED);
  });

  it("says its version", async () => {
    expect(await cli("--version")).toEqual({ code: 0, out: manifest.version, err: "" });
  });

  it.each(COMMANDS)("explains %s, with examples, the stage and the exit codes", async (command) => {
    const { code, out } = await cli(`${command} --help`);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`\\nExamples:\\n  gumroad-auth0 ${command}`));
    expect(out).toContain("--stage <name>");
    expect(out).toContain("--json");
    expect(out).toContain("Exit codes: ");
    if (command !== "doctor") expect(out).toContain("--dry-run");
  });

  it.each([
    { line: "", said: "Usage: gumroad-auth0" },
    { line: "docter", said: "(Did you mean doctor?)" },
    { line: "doctor --verbos", said: "error: unknown option '--verbos'" },
    { line: "doctor --stage Prod!", said: "--stage needs a name of lower-case letters" },
    { line: "doctor", said: "nothing runs on port 3000: start it with npm start" },
  ])("exits 2 on a mistake, in words: $line", async ({ line, said }) => {
    const { code, err } = await cli(line);
    expect(code).toBe(2);
    expect(err).toContain(said);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it("tells scripts of a failure as JSON, with its code", async () => {
    const { code, out, err } = await cli("doctor --json");
    expect({ code, err, json: JSON.parse(out) }).toEqual({ code: 2, err: "",
      json: { error: { code: "STAGE_NOT_RUNNING", message: "nothing runs on port 3000: start it with npm start" } } });
  });

  it("tells scripts of a mistake on the command line as JSON, too, and nothing else", async () => {
    expect(await cli("doctor --json --verbos")).toEqual({ code: 2, err: "",
      out: JSON.stringify({ error: { code: "USAGE", message: "unknown option '--verbos' (Did you mean --version?)" } },
        null, 2) });
    expect(await cli("--json")).toMatchObject({ code: 2, err: "", out: expect.stringContaining("name a command") });
    expect(await cli("nonsense --json")).toMatchObject({ code: 2, err: "", out: expect.stringContaining('"USAGE"') });
    expect(await cli("doctor --json --help")).toMatchObject({ code: 0, out: expect.stringContaining("Usage:") });
  });

  it("says an unexpected error in one line, and where it comes from with DEBUG", async () => {
    const openStage = async () => {
      throw new TypeError("boom\nsecond line");
    };
    const { code, err } = await cli("products", { openStage });
    expect({ code, err }).toEqual({ code: 1,
      err: "gumroad-auth0: boom (a mistake of this program, perhaps: DEBUG=1 shows where)" });
    expect((await cli("products", { openStage, env: { DEBUG: "1" } })).err).toMatch(/\n\s+at /);
  });

  it.each([
    { error: new ConfigError("A", "a"), failure: { code: "A", message: "a", exit: 2 } },
    { error: new NeedsPersonError("B", "b"), failure: { code: "B", message: "b", exit: 1 } },
    { error: new TemporaryError("C", "c"), failure: { code: "C", message: "c", exit: 1 } },
    { error: Object.assign(new Error("x"), { name: "CredentialsProviderError" }),
      failure: { code: "AWS_CREDENTIALS", exit: 2 } },
    { error: new TemporaryError("C", "c", { cause: Object.assign(new Error("x"), { name: "ExpiredTokenException" }) }),
      failure: { code: "AWS_CREDENTIALS", exit: 2 } },
    { error: new Error("Region is missing"), failure: { code: "AWS_REGION", exit: 2 } },
    { error: Object.assign(new Error("no right to do that"), { name: "AccessDeniedException" }),
      failure: { code: "AWS_ACCESS", message: "AWS refused: no right to do that", exit: 1 } },
    { error: "a string", failure: { code: "UNEXPECTED", exit: 1 } },
  ])("knows what to say of $error", ({ error, failure }) => {
    expect(failureOf(error)).toMatchObject(failure);
  });

  it("has colours on a terminal only, and none with NO_COLOR", () => {
    expect([wantsColours(true, {}), wantsColours(false, {}), wantsColours(true, { NO_COLOR: "1" })]).toEqual([true,
      false, false]);
    const parts = { print: () => undefined, json: () => false };
    expect(makeOutput({ ...parts, colours: true }).tone("bad", "x")).toBe("\u001b[31mx\u001b[39m");
    expect(makeOutput({ ...parts, colours: false }).tone("bad", "x")).toBe("x");
  });

  it.each([
    ["an escape that writes to the clipboard (OSC 52)", "\u001b]52;c;cm0gLXJm\u0007Gold", "Gold"],
    ["an escape that sets the title, ended by ST", "\u001b]0;x\u001b\\Gold", "Gold"],
    ["one that clears the screen", "Go\u001b[2Jld", "Gold"],
    ["one of eight bits", "\u009b31mGold", "Gold"],
    ["a return to the line's beginning", "Gold\rFree", "GoldFree"],
    ["a text that runs the other way", "\u202egpj.Gold\u2066", "gpj.Gold"],
    ["what can't be seen", "G\u200bo\u200dl\u2060d\ufeff\u00ad", "Gold"],
    ["hidden text", "\u001b[8mGold\u001b[0m", "Gold"],
    ["tags outside the first plane", "Go\u{e0041}ld", "Gold"],
    ["nothing of that kind", "Größe 🐎\tL\n✓", "Größe 🐎\tL\n✓"],
  ])("lets no control character through to a terminal: %s", (_what, text, shown) => {
    const lines: string[] = [];
    const parts = { print: (line: string) => lines.push(line), colours: true };
    const output = makeOutput({ ...parts, json: () => false });
    output.say(output.tone("good", text));
    output.table(["option"], [[text]]);
    expect(lines[0]).toBe(`\u001b[32m${shown}\u001b[39m`);
    expect(lines[1]?.split("\n").at(-1)).toBe(shown.replaceAll(/\s/g, " "));

    makeOutput({ ...parts, json: () => true }).result({ text });
    expect(JSON.parse(lines[2] ?? "")).toEqual({ text });
    expect(lines[2]).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});

describe("words on a narrow terminal", () => {
  it("are broken at blanks, further in where a line goes on, and whole where they are to be copied", () => {
    expect(wrapped("  found  the quick brown fox jumps over it\n  short", 24)).toBe(
      "  found  the quick brown\n    fox jumps over it\n  short",
    );
    expect(wrapped("mend it: npx gumroad-auth0", 10)).toBe("mend it:\n  npx\n  gumroad-auth0");
    const red = "\u001B[31mred\u001B[39m words here";
    expect(wrapped(red, 14)).toBe(red);
  });

  it("are a block a row where a table has no room", () => {
    const [head, rows] = [["buyer", "roles"], [["ann@example.com", "club"], ["bo@example.com", ""]]];
    expect(table(head, rows, 40).split("\n")[2]).toBe("ann@example.com  club");
    expect(table(head, rows, 20)).toBe("buyer  ann@example.com\nroles  club\n\nbuyer  bo@example.com");
  });
});

describe("questions at a terminal", () => {
  function terminal(typed: string) {
    const input = new PassThrough();
    let shown = "";
    const output = new Writable({ write: (chunk, _encoding, done) => {
      shown += String(chunk);
      // Once the question stands there.
      if (shown.includes("?")) setImmediate(() => input.write(typed));
      done();
    } });
    return { questions: terminalQuestions({ input, output }), shown: () => shown };
  }

  it("show what is typed, but not a secret", async () => {
    const open = terminal("acme.auth0.com\r");
    expect(await open.questions.ask("Domain?")).toBe("acme.auth0.com");
    expect(open.shown()).toContain("acme.auth0.com");
    const hidden = terminal("s3cret\r");
    expect(await hidden.questions.askSecret("Token?")).toBe("s3cret");
    expect(hidden.shown()).toContain("Token? (not shown)");
    expect(hidden.shown()).not.toContain("s3c");
  });

  it("take the answer in brackets for an empty line, and a yes or a no", async () => {
    expect(await terminal("\r").questions.ask("Domain?", "old")).toBe("old");
    expect(await terminal("\r").questions.confirm("Go on?", true)).toBe(true);
    expect(await terminal("n\r").questions.confirm("Go on?", true)).toBe(false);
  });

  it("stop at Ctrl-C with a line", async () => {
    await expect(terminal("\u0003").questions.ask("Domain?")).rejects.toThrow(
      "stopped at a question: nothing more was changed",
    );
  });
});

describe("the ping URLs of a stage", () => {
  const stage = { pingAddress: "https://api.example.com/ping" };
  it.each([
    ["https://api.example.com/ping/abc", "abc"],
    ["https://gumroad:a%40c@api.example.com/ping", "a@c"],
    ["https://abc@api.example.com/ping", "abc"],
    ["https://api.example.com/ping", ""],
    ["https://api.example.com/pings/abc", null],
    ["https://other.example.com/ping/abc", null],
    ["not a url", null],
  ])("%s has the token %s", (url, token) => {
    expect(tokenIn(stage, url)).toBe(token);
  });

  it("are shown without it", () => {
    expect(withoutToken("https://u:secret@api.example.com/ping/secret")).toBe("https://api.example.com/ping/…");
    expect(tokenIn(stage, pingUrl(stage, "a/b c"))).toBe("a/b c");
  });

  it("are right with the current token, or with an old one where there is no better", () => {
    const at = (id: string, token: string) => ({ id, event: "sale" as const, postUrl: pingUrl(stage, token) });
    const plan = planOf("sale", [at("1", "old"), at("2", "new"), at("3", "gone"), { id: "4", event: "sale",
      postUrl: "https://zapier.example.com/x" }], stage, ["new", "old"]);
    expect(plan).toMatchObject({ right: { id: "2" }, doubled: [{ id: "1" }], wrong: [{ id: "3" }],
      others: [{ id: "4" }] });
    expect(planOf("sale", [at("1", "old")], stage, ["new", "old"])).toMatchObject({ right: { id: "1" }, doubled: [],
      wrong: [] });
  });
});

describe("a deployed stage", () => {
  let cloud: LoopbackServer;
  let answer: { status: number; body: string };
  const before = { ...process.env };
  beforeAll(async () => {
    cloud = await startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
      await readBody(incoming);
      outgoing.writeHead(answer.status, { "content-type": "text/xml" }).end(answer.body);
    });
    Object.assign(process.env, { AWS_ENDPOINT_URL_CLOUDFORMATION: cloud.url, AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null" });
  });
  afterAll(async () => {
    process.env = before;
    await cloud.stop();
  });
  const outputs = (values: Record<string, string>) => {
    const members = Object.entries(values).map(([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`
    );
    return [
      '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>',
      "<Stacks><member><StackName>gumroad-auth0-prod</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>",
      `<StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>${members.join("")}</Outputs></member></Stacks>`,
      "</DescribeStacksResult></DescribeStacksResponse>",
    ].join("");
  };

  it("has the addresses of its stack's outputs", async () => {
    answer = { status: 200,
      body: outputs({ PingUrl: "https://x.execute-api.eu-west-1.amazonaws.com/ping",
        DeadLetterQueueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/gumroad-auth0-prod-dead-letters.fifo",
        Access: "app_metadata", GettingIn: "invite" }) };
    const stage = await openStage("prod", {});
    expect(stage).toMatchObject({ name: "prod", pingAddress: "https://x.execute-api.eu-west-1.amazonaws.com/ping",
      queue: "https://sqs.eu-west-1.amazonaws.com/123456789012/gumroad-auth0-prod-provision.fifo",
      deadLetters: "https://sqs.eu-west-1.amazonaws.com/123456789012/gumroad-auth0-prod-dead-letters.fifo",
      ledger: "gumroad-auth0-prod-ledger", emulators: null });
    stage.close();
  });

  it("is refused where it isn't deployed, or too old", async () => {
    answer = { status: 400,
      body: "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id " +
        "gumroad-auth0-prod does not exist</Message></Error></ErrorResponse>" };
    await expect(openStage("prod", {})).rejects.toThrow(
      "there is no stack gumroad-auth0-prod in eu-west-1: deploy it with npm run deploy -- --stage prod, or choose " +
        "another region with AWS_REGION",
    );
    answer = { status: 200, body: outputs({}) };
    await expect(openStage("prod", {})).rejects.toThrow("the stack of prod has no output DeadLetterQueueUrl");
  });
});

/** The files that the real program loads to show these commands' help. */
async function loadedFor(commands: readonly string[]): Promise<readonly string[]> {
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, "loaded-files.mjs"), ...commands], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return z.array(z.string()).parse(await json(child.stdout));
}

describe("the program itself", () => {
  const run = async (...args: string[]) =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      let output = "";
      const child = spawn(process.execPath, [path.resolve(import.meta.dirname, "../../cli/main.mjs"), ...args], {
        env: { PATH: process.env["PATH"], PORT: "1" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [child.stdout, child.stderr]) {stream.setEncoding("utf8").on("data",
          (part: string) => (output += part));}
      child.on("close", (code) => resolve({ code, output }));
    });

  it("loads neither an SDK nor what a command does to show any help, and few files at all", async () => {
    const { code, output } = await run("--help");
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining("Mostly needed:") });
    const loaded = await loadedFor(CATALOGUE.flatMap(([, commands]) => commands.map(({ name }) => name)));
    expect(loaded.filter((url) => /node_modules/.test(url) && !/node_modules\/commander\//.test(url))).toEqual([]);
    expect(loaded.length).toBeLessThan(50);
  });

  it("ends with npm's word, and no trace, where what it needs can't be installed", async () => {
    const clone = mkdtempSync(path.join(tmpdir(), "clone "));
    for (const file of ["cli/main.mjs", "scripts/ensure-installed.mjs", "package.json", "package-lock.json"]) {
      cpSync(path.resolve(import.meta.dirname, "../..", file), path.join(clone, file));
    }
    // No npm is on this path.
    const { status, stderr } = spawnSync(process.execPath, [path.join(clone, "cli/main.mjs"), "--version"], {
      env: { PATH: clone },
      encoding: "utf8",
    });
    rmSync(clone, { recursive: true });
    expect(status).toBe(1);
    expect(stderr).toMatch(/npm ci failed: see its message above\. [^\n]*\n$/);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it("says in one line that nothing runs", async () => {
    expect(await run("doctor")).toEqual({ code: 2,
      output:
        "gumroad-auth0: nothing runs on port 1: start it with npm start, set PORT to the port it runs on, or name " +
        "a deployed stage with --stage\n" });
  });
});
