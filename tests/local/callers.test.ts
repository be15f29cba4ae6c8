import { request } from "node:http";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { type Stack, startStack } from "../../local/stack.ts";

const here = (name: string) => path.join(import.meta.dirname, "fixtures", name);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ bundlesDir: here("functions"), templateFile: here("serverless.yml") });
});
afterAll(() => stack.stop());

/** The status of a GET. Not by `fetch`, which sets Host itself. */
async function status(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).once("error", reject).end();
  });
}

const FOREIGN = 403;
const parts = { "the queues": () => stack.endpoints.sqs, "the tables": () => stack.endpoints.dynamodb,
  "the secrets": () => stack.endpoints.secretsmanager, "the functions": () => stack.endpoints.lambda,
  "Auth0's control calls": () => `${stack.auth0.url}/_emulator/users`,
  "the shop's control calls": () => `${stack.gumroad.url}/_emulator/products` };

describe("a page in somebody's browser", () => {
  it.each(Object.entries(parts))("gets no answer from %s, by its own name for them or from its own origin",
    async (_name, address) => {
      const url = address();
      const { port, origin } = new URL(url);
      expect(await status(url)).not.toBe(FOREIGN);
      expect(await status(url, { host: `localhost:${port}` })).not.toBe(FOREIGN);
      expect(await status(url, { origin })).not.toBe(FOREIGN);
      expect(await status(url, { host: `evil.example:${port}` })).toBe(FOREIGN);
      for (const other of ["https://evil.example", "null", "http://127.0.0.1:1"]) {
        expect(await status(url, { origin: other })).toBe(FOREIGN);
      }
      // Pictures and scripts name no origin.
      for (const site of ["cross-site", "same-site"]) {
        expect(await status(url, { "sec-fetch-site": site, "sec-fetch-dest": "image" })).toBe(FOREIGN);
        expect(await status(url, { "sec-fetch-site": site, "sec-fetch-dest": "document" })).not.toBe(FOREIGN);
      }
    });

  it("may call the API, as CORS lets it, but under this machine's name only", async () => {
    expect(await status(`${stack.url}/echo/t`, { origin: "http://localhost:8000" })).not.toBe(FOREIGN);
    expect(await status(`${stack.url}/echo/t`, { host: "evil.example" })).toBe(FOREIGN);
  });
});
