import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startLoopbackServer } from "../../local/aws/loopback.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "start-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

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
