// Loaded before the tests by dynamodb.ts: whoever imports dynalite gets this, a server that hands everything on to a
// DynamoDB Local of its own, in memory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { registerHooks } from "node:module";
import { connect, createServer as createSocketServer } from "node:net";
import path from "node:path";

/** Only what hangs takes so long to start (ms). */
const START_LIMIT_MS = 120_000;

registerHooks({ resolve: (specifier, context, next) =>
  specifier === "dynalite" ? { url: import.meta.url, format: "module", shortCircuit: true } : next(specifier, context) });

/** What dynalite exports. */
export default function dynamoDbLocal() {
  const started = start();
  // Whoever calls hears of it.
  started.catch(() => undefined);
  const server = createServer((incoming, outgoing) => {
    started.then(({ port }) => {
      const call = request({ host: "127.0.0.1", port, method: incoming.method, path: incoming.url,
        headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      call.once("error", () => outgoing.destroy());
      incoming.pipe(call);
    }, (error) => {
      process.stderr.write(`${error.message}\n`);
      outgoing.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(
        JSON.stringify({ __type: "com.amazon.coral.service#UnknownOperationException", message: error.message }),
      );
    });
  });
  server.once("close", () => void started.then(({ java }) => java.kill("SIGKILL"), () => undefined));
  return server;
}

async function start() {
  const folder = process.env["DYNAMODB_LOCAL"] ?? "";
  const port = await freePort();
  const java = spawn("java", [`-Djava.library.path=${path.join(folder, "DynamoDBLocal_lib")}`, "-jar",
    path.join(folder, "DynamoDBLocal.jar"), "-inMemory", "-sharedDb", "-port", String(port)], { cwd: folder,
    stdio: ["ignore", "ignore", "pipe"] });
  process.once("exit", () => java.kill("SIGKILL"));
  let said = "";
  java.stderr.setEncoding("utf8").on("data", (text) => (said = (said + text).slice(-2_000)));
  let end;
  java.once("exit", (code) => (end = `DynamoDB Local ended with ${String(code)}: ${said.trim()}`));
  java.once("error", (error) => (end = `java could not be started: ${error.message}`));
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await answers(port))) {
    if (end === undefined && performance.now() > deadline) end = `DynamoDB Local does not listen: ${said.trim()}`;
    if (end !== undefined) throw new Error(end);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { port, java };
}

async function freePort() {
  const server = createSocketServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** @param {number} port @returns {Promise<boolean>} */
async function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
