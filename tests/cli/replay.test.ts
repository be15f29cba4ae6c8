import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { postPing, readPing } from "../../cli/replay/pings.ts";
import { buyerTable, pingTable, reportResult } from "../../cli/replay/report.ts";
import { emulatorRoles, settledRoles, tenantRoles } from "../../cli/replay/roles.ts";
import { countOf, replayFiles, replayTarget } from "../../cli/replay/settings.ts";
import { type Auth0Emulator, startAuth0Emulator } from "auth0-emulator";
import { type LoopbackServer, readBody, startLoopbackServer } from "../../local/aws/loopback.ts";
import { startGumroadEmulator } from "gumroad-emulator";
import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { removeStackFile, writeStackFile } from "../../local/stack-file.ts";

const root = path.resolve(import.meta.dirname, "../..");
const local = { client_id: "local-client", client_secret: "local-secret" };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "replay-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const write = (name: string, body: string): string => {
  writeFileSync(path.join(folder, name), body);
  return path.join(folder, name);
};

/** An address where nobody listens any more. */
async function silentUrl(): Promise<string> {
  const server = await startLoopbackServer({ port: 0 }, () => undefined);
  await server.stop();
  return server.url;
}

describe("the files to replay", () => {
  it("are the paths as given, and a folder's .txt files by name", () => {
    write("b.txt", "b");
    write("a.txt", "a");
    write("README.md", "not a ping");
    const one = write("z.txt", "z");
    expect(replayFiles([one, folder]).map((file) => path.basename(file))).toEqual(["z.txt", "a.txt", "b.txt",
      "z.txt"]);
  });

  it("are refused where there is none, naming the path", () => {
    expect(() => replayFiles(["no/such.txt"])).toThrow("there is no file or folder no/such.txt");
    expect(() => replayFiles([folder])).toThrow(`the folder ${folder} has no .txt files`);
  });
});

describe("the target", () => {
  it("is the ping URL, or the API's address with the token", () => {
    expect(replayTarget("http://127.0.0.1:3000", "local").url.href).toBe("http://127.0.0.1:3000/ping/local");
    expect(replayTarget("https://api.example.com/ping/abc", "local").url.href).toBe(
      "https://api.example.com/ping/abc",
    );
  });

  it("sends userinfo as Basic auth, as Gumroad does", () => {
    const target = replayTarget("https://gumroad:s%40t@api.example.com/ping", "local");
    expect(target.url.href).toBe("https://api.example.com/ping");
    expect(target.authorization).toBe(`Basic ${Buffer.from("gumroad:s@t").toString("base64")}`);
  });

  it.each(["ftp://x/", "not a url"])("refuses %s", (to) => {
    expect(() => replayTarget(to, "local")).toThrow(`--to ${to} is no http or https URL`);
  });

  it.each(["0", "-1", "1.5", "many"])("refuses --repeat %s", (value) => {
    expect(() => countOf("--repeat", value)).toThrow(`--repeat ${value} is no whole number from 1 on`);
    expect(countOf("--repeat", "50")).toBe(50);
  });
});

describe("a ping", () => {
  it.each([
    { body: "email=Ann%2Bx%40Example.com%20&resource_name=sale", event: "sale", buyer: "ann+x@example.com" },
    { body: "user_email=eve%40example.com&resource_name=cancellation", event: "cancellation",
      buyer: "eve@example.com" },
    { body: "email=ann%40example.com&test=true", event: "test ping", buyer: "ann@example.com" },
    { body: "a[b][c][d][e][f]=1", event: "-", buyer: null },
    { body: "", event: "-", buyer: null },
  ])("is read for its event and buyer: $event $buyer", ({ body, event, buyer }) => {
    expect(readPing(write("p.txt", body))).toMatchObject({ file: "p.txt", event, buyer });
  });
});

describe("posting a ping", () => {
  let server: LoopbackServer;
  let seen: { incoming: IncomingMessage; body: Buffer }[];
  let status = 200;
  let answer = "{}";
  beforeAll(async () => {
    server = await startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
      seen.push({ incoming, body: await readBody(incoming) });
      if (status === 0) outgoing.destroy();
      else outgoing.writeHead(status).end(answer);
    });
  });
  beforeEach(() => {
    seen = [];
    status = 200;
    answer = "{}";
  });
  afterAll(() => server.stop());
  const target = () => replayTarget(server.url, "t0ken");

  it("sends the file's bytes as a form", async () => {
    const ping = readPing(write("p.txt", "email=a%40b.c&x[%255B]=ü\n"));
    expect(await postPing(ping, target())).toMatchObject({ file: "p.txt", status: 200, error: null, refused: false });
    expect(seen[0]!.incoming).toMatchObject({ method: "POST", url: "/ping/t0ken" });
    expect(seen[0]!.incoming.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(seen[0]!.body).toEqual(ping.body);
  });

  it("reports the error that the answer's body tells, and none where it tells none", async () => {
    const ping = readPing(write("p.txt", "a=b"));
    [status, answer] = [400, '{"status":"error","error":"email is missing"}'];
    expect(await postPing(ping, target())).toMatchObject({ status: 400, error: "email is missing" });
    [status, answer] = [502, "<html>"];
    expect(await postPing(ping, target())).toMatchObject({ status: 502, error: null });
  });

  it("reports a connection that breaks, and one that nobody takes", async () => {
    const ping = readPing(write("p.txt", "a=b"));
    status = 0;
    expect(await postPing(ping, target())).toMatchObject({ status: null,
      error: expect.stringContaining("no connection"), refused: false });
    expect(await postPing(ping, replayTarget(await silentUrl(), "t"))).toMatchObject({ status: null, refused: true });
  });
});

describe("the buyers' roles", () => {
  let auth0: Auth0Emulator;
  beforeEach(async () => {
    auth0 = await startAuth0Emulator({ roles: ["handbook"] });
    auth0.addUser({ email: "ann@example.com", verified: true, roles: ["handbook"] });
    auth0.addUser({ email: "ann@example.com", connection: "google-oauth2" });
  });
  afterEach(() => auth0.stop());
  const expected = [
    { buyer: "ann@example.com",
      users: [expect.objectContaining({ verified: true, roles: ["handbook"] }),
        expect.objectContaining({ verified: false, roles: [] })] },
    { buyer: "bo@example.com", users: [] },
  ];

  it("are read from the emulator without a Management call", async () => {
    const reader = emulatorRoles(auth0.url);
    expect(await reader.roles(["ann@example.com", "bo@example.com"])).toEqual(expected);
    expect(await reader.managementCalls()).toBe(0);
  });

  it("are read from a tenant with the Management API", async () => {
    const reader = tenantRoles({ domain: auth0.url, ...local });
    expect(await reader.roles(["ann@example.com", "bo@example.com"])).toEqual(expected);
    expect(await reader.managementCalls()).toBeNull();
  });

  it("are refused for a domain that is none, and for an emulator that isn't there", async () => {
    expect(() => tenantRoles({ domain: "http://elsewhere.example.com", ...local })).toThrow(
      "http://elsewhere.example.com is no host name",
    );
    const gone = auth0.url;
    await auth0.stop();
    await expect(emulatorRoles(gone).roles([])).rejects.toThrow(`no Auth0 emulator answers at ${gone}`);
  });

  it("are read again until they stay the same", async () => {
    const states = [[], ["a"], ["a", "b"], ["a", "b"], ["a", "b"]];
    let reads = 0;
    const reader = {
      roles: async () => [{ buyer: "x", users: [{ id: "u", verified: true, roles: states[Math.min(reads++, 4)]! }] }],
      managementCalls: async () => null,
    };
    const [found] = await settledRoles(reader, ["x"], 30, 5_000, 10);
    expect(found!.users[0]!.roles).toEqual(["a", "b"]);
  });
});

describe("the report", () => {
  const pings = [
    { file: "sale.txt", event: "sale", buyer: "ann@example.com", status: 200, error: null, ms: 3, refused: false },
    { file: "x.txt", event: "-", buyer: null, status: 400, error: "email is missing", ms: 3, refused: false },
    { file: "y.txt", event: "sale", buyer: null, status: null, error: "no answer within 5 s", ms: 5000,
      refused: false },
  ];
  const buyers = [
    { buyer: "ann@example.com", users: [{ id: "auth0|1", verified: false, roles: ["club", "handbook"] }] },
    { buyer: "bo@x.io", users: [] },
  ];

  it("is aligned tables", () => {
    expect(pingTable(pings).split("\n")).toEqual([
      "ping      event  answer",
      "--------  -----  ------  --------------------",
      "sale.txt  sale   200",
      "x.txt     -      400     email is missing",
      "y.txt     sale   none    no answer within 5 s",
    ]);
    expect(buyerTable(buyers).split("\n")).toEqual([
      "buyer            Auth0 user  verified  roles",
      "---------------  ----------  --------  --------------",
      "ann@example.com  auth0|1     no        club, handbook",
      "bo@x.io          none",
    ]);
  });

  it("is the same for scripts", () => {
    const report = reportResult({ pings, buyers, waiting: 1, managementCalls: 3 });
    expect(report).toMatchObject({ buyers, waiting: 1, managementCalls: 3 });
    expect(report.pings[1]).toEqual({ file: "x.txt", event: "-", buyer: null, status: 400, error: "email is missing",
      ms: 3 });
  });
});

describe("npm run replay", () => {
  const run = async (...args: string[]) =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      let output = "";
      const child = spawn(process.execPath, ["cli/main.mjs", "replay", ...args], { cwd: root,
        env: { PATH: process.env["PATH"] } });
      for (const stream of [child.stdout, child.stderr]) {stream.setEncoding("utf8").on("data",
          (part: string) => (output += part));}
      child.on("close", (code) => resolve({ code, output }));
    });

  it.each([true, false])(
    "puts a story's rows into the emulator of the stack at that address, and says so where they are read back: %s",
    async (readBack) => {
      const [service, gumroad, auth0] = await Promise.all([
        startLoopbackServer({ port: 0 }, (_, outgoing) => void outgoing.end("{}")),
        startGumroadEmulator(),
        startAuth0Emulator(),
      ]);
      const stackFile = writeStackFile(path.join(root, ".local"), service.port, { pid: process.pid, url: service.url,
        pingUrl: `${service.url}/ping/local`, auth0: { domain: auth0.url, emulator: auth0.url },
        gumroad: { emulator: gumroad.url, readBack }, sqs: { endpoint: service.url, queues: {} },
        dynamodb: { endpoint: service.url, tables: {} }, lambda: { endpoint: "http://127.0.0.1:1" },
        secretsmanager: { endpoint: "http://127.0.0.1:1" }, access: "roles", gettingIn: "invite", logs: "none" });
      try {
        const { code, output } = await run("fixtures/pings/sale-gift.txt", "fixtures/pings/membership-sale.txt",
          "--to", service.url);
        const said = "Gumroad's API has their rows now, to be read back: 3 of sales, 1 of subscribers\n\n";
        expect({ code, output }).toEqual({ code: 0,
          output: expect.stringMatching(new RegExp(`^${readBack ? said : ""}ping {5,}event`)) });
        const seeded = await fetch(`${gumroad.apiUrl}/sales`, {
          headers: { authorization: `Bearer ${LOCAL_ACCESS_TOKEN}` },
        });
        expect(await seeded.json()).toMatchObject({
          sales: [{ purchase_email: "eve@example.com" }, { giftee_email: "cy@example.com" }],
        });
      } finally {
        removeStackFile(stackFile);
        await Promise.all([service.stop(), gumroad.stop(), auth0.stop()]);
      }
    },
  );

  it("says a mistake in one line and exits 2", async () => {
    expect(await run("no/such.txt")).toEqual({ code: 2,
      output: "gumroad-auth0: there is no file or folder no/such.txt\n" });
  });

  it("says that the service isn't running, and exits 2", async () => {
    const url = await silentUrl();
    expect(await run(write("p.txt", "a=b"), "--to", url)).toEqual({ code: 2,
      output: `gumroad-auth0: nothing listens at ${url}: start it with npm start\n` });
  });
});
