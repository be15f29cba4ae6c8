import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Api, type ApiAnswer, startApi } from "../../local/aws/api-gateway.ts";
import { createLambda, type Lambda } from "../../local/aws/lambda.ts";

const functionOf = (name: string, timeoutMs = 3000, reservedConcurrency?: number) =>
  createLambda({ name, bundle: fileURLToPath(new URL(`fixtures/functions/${name}.mjs`, import.meta.url)),
    exportName: "handler", timeoutMs, memoryMb: 256, environment: () => ({ AWS_REGION: "us-east-1" }), maxWorkers: 2,
    reservedConcurrency, clock: new SharedArrayBuffer(8) });

let lambdas: Lambda[];
/** One at a time, and long enough. */
let single: Lambda;
let api: Api;
const answers: ApiAnswer[] = [];

beforeAll(async () => {
  const main = functionOf("api");
  const brief = functionOf("api", 100);
  single = functionOf("api", 60_000, 1);
  lambdas = [main, brief, single];
  api = await startApi({ port: 0, routes: [
    ["POST /echo/{token}", main],
    ["GET /echo/{token}", main],
    ["ANY /echo/fixed", main],
    ["GET /files/{path+}", main],
    ["GET /brief", brief],
    ["GET /single", single],
  ],
    cors: { allowedOrigins: ["https://course.example.com"], allowedHeaders: ["Authorization"],
      allowedMethods: ["GET", "POST"], exposedHeaders: ["Retry-After"], allowCredentials: false, maxAgeSeconds: 600 },
    onAnswer: (answer) => answers.push(answer) });
});
afterAll(async () => {
  await api.stop();
  await Promise.all(lambdas.map((lambda) => lambda.stop()));
});

const call = (path: string, init: RequestInit = {}) => fetch(`${api.url}${path}`, init);
async function eventOf(path: string, init: RequestInit = {}) {
  const { event } = JSON.parse(await (await call(path, init)).text());
  return event;
}

/** Sends headers that fetch won't send twice. */
async function raw(path: string, headers: string[]) {
  return new Promise<string>((resolve, reject) => {
    request(`${api.url}${path}`, { headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part)).on("end", () => resolve(text));
    }).on("error", reject).end();
  });
}

describe("the local HTTP API", () => {
  it("sends a form as base64, with route, path, parameters and address in payload 2.0", async () => {
    const event = await eventOf("/echo/s3cret?a=1&b=2&a=3%20x", { method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", "X-Mixed-Case": "kept" },
      body: "email=a%40b.c" });
    expect(event).toMatchObject({ version: "2.0", routeKey: "POST /echo/{token}", rawPath: "/echo/s3cret",
      rawQueryString: "a=1&b=2&a=3%20x", queryStringParameters: { a: "1,3 x", b: "2" },
      pathParameters: { token: "s3cret" },
      headers: { "x-mixed-case": "kept", "content-type": "application/x-www-form-urlencoded",
        "x-forwarded-for": "127.0.0.1" },
      requestContext: { routeKey: "POST /echo/{token}", stage: "$default",
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        http: { method: "POST", path: "/echo/s3cret", sourceIp: "127.0.0.1", protocol: "HTTP/1.1" } },
      isBase64Encoded: true });
    expect(Buffer.from(event.body, "base64").toString()).toBe("email=a%40b.c");
  });

  it.each(["application/json", "application/json; charset=utf-8", "text/plain", "application/xml",
    "application/javascript"])("sends a body of %s as text", async (type) => {
      const event = await eventOf("/echo/t", { method: "POST", headers: { "content-type": type }, body: '{"ä":1}' });
      expect(event).toMatchObject({ isBase64Encoded: false, body: '{"ä":1}' });
    });

  it("leaves body and parameters out where there are none", async () => {
    const event = await eventOf("/echo/fixed");
    expect(event.isBase64Encoded).toBe(false);
    for (const absent of ["body", "pathParameters", "queryStringParameters", "cookies"]) {
      expect(event).not.toHaveProperty(absent);
    }
  });

  it("joins repeated headers with a comma and takes cookies out of them", async () => {
    const { event } = JSON.parse(
      await raw("/echo/t", ["Host", "localhost", "X-Twice", "a", "x-twice", "b", "Cookie", "c=1; d=2"]),
    );
    expect(event.headers["x-twice"]).toBe("a,b");
    expect(event.headers).not.toHaveProperty("cookie");
    expect(event.cookies).toEqual(["c=1", "d=2"]);
  });

  it("prefers a fixed path to a parameter, and takes the rest of a path", async () => {
    expect(await eventOf("/echo/fixed", { method: "POST" })).toMatchObject({ routeKey: "ANY /echo/fixed" });
    expect(await eventOf("/files/a/b%20c")).toMatchObject({ rawPath: "/files/a/b c",
      pathParameters: { path: "a/b c" } });
  });

  it.each([
    { what: "path", path: "/nowhere", method: "POST" },
    { what: "method", path: "/echo/t", method: "PUT" },
    { what: "trailing slash", path: "/echo/t/", method: "POST" },
    { what: "empty parameter", path: "/echo/", method: "POST" },
    { what: "encoded slash", path: "/echo/a%2Fb", method: "POST" },
    { what: "broken encoding", path: "/echo/%zz", method: "POST" },
  ])("answers 404 to an undeclared $what, without asking a function", async ({ path, method }) => {
    const answer = await call(path, { method });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ message: "Not Found" });
  });

  it.each(["throw", "reject-later", "exit", "malformed", "large"])(
    "answers 500 to a function that fails (%s), and shows nothing of it",
    async (what) => {
      const answer = await call(`/echo/t?do=${what}`);
      expect(answer.status).toBe(500);
      expect(await answer.text()).toBe('{"message":"Internal Server Error"}');
    },
  );

  it("answers 500 to a function that runs out of time", async () => {
    expect((await call("/brief?do=hang")).status).toBe(500);
  });

  it("answers 503 where a function's concurrency is used up", async () => {
    const first = call("/single?do=hang");
    while (single.running === 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await call("/single")).status).toBe(503);
    await single.crash("all");
    expect((await first).status).toBe(500);
  });

  it.each([
    { path: "", size: 10 * 1024 * 1024 + 1, limit: "API Gateway's 10 MB" },
    { path: "", size: 6 * 1024 * 1024, limit: "Lambda's 6 MB once it is base64" },
  ])("answers 413 to a body above $limit", async ({ size }) => {
    const answer = await call("/echo/t", { method: "POST", body: Buffer.alloc(size) });
    expect(answer.status).toBe(413);
  });

  it("passes on status, headers, cookies and binary bodies", async () => {
    const answer = await call("/echo/t?do=binary");
    expect(answer.status).toBe(201);
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(answer.headers.get("x-number")).toBe("7");
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0, 255]);
  });

  it.each([
    { what: "string", body: "just text" },
    { what: "object", body: '{"no":"status"}' },
    { what: "nothing", body: "null" },
  ])("makes a 200 of an answer without a status ($what)", async ({ what, body }) => {
    const answer = await call(`/echo/t?do=${what}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.text()).toBe(body);
  });

  it("answers a preflight request itself, and marks answers for allowed origins only", async () => {
    const preflight = (origin: string) =>
      call("/echo/t", { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });
    const allowed = await preflight("https://course.example.com");
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-headers")).toBe("Authorization");
    expect((await preflight("https://elsewhere.example.com")).headers.get("access-control-allow-origin")).toBeNull();
    const answer = await call("/echo/t?do=string", { headers: { origin: "https://course.example.com" } });
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://course.example.com");
    expect(answer.headers.get("access-control-expose-headers")).toBe("Retry-After");
    const other = await call("/echo/t?do=string", { headers: { origin: "https://elsewhere.example.com" } });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("tells of an answer by its route, never by its path", async () => {
    answers.length = 0;
    await call("/echo/s3cret?do=string");
    await call("/s3cret");
    expect(answers).toEqual([
      { routeKey: "GET /echo/{token}", status: 200, ms: expect.any(Number) },
      { routeKey: undefined, status: 404, ms: expect.any(Number) },
    ]);
    expect(JSON.stringify(answers)).not.toContain("s3cret");
  });

  it("names the port when somebody else has it", async () => {
    await expect(startApi({ port: api.port, routes: [] })).rejects.toThrow(
      expect.objectContaining({ code: "PORT_TAKEN",
        message: `port ${String(api.port)} is taken by another process; choose another` }),
    );
  });

  it("finishes running requests before it stops", async () => {
    const slow = functionOf("single");
    const own = await startApi({ port: 0, routes: [["GET /single", slow]] });
    const answer = fetch(`${own.url}/single`);
    while (slow.running === 0) await new Promise((resolve) => setImmediate(resolve));
    await own.stop();
    expect((await answer).status).toBe(200);
    await expect(fetch(`${own.url}/single`)).rejects.toThrow();
    await slow.stop();
  });
});
