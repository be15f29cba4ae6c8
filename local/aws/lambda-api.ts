import { readBody, type LoopbackServer, startLoopbackServer } from "./loopback.ts";
import type { InvocationResult, Lambda } from "./lambda.ts";

const INVOKE = /^\/2015-03-31\/functions\/([\w-]+)\/invocations$/;
/** Lambda's statuses for what came to no answer of the function's own, beside "failed", which is a 200. */
const STATUSES = { throttled: 429, "too-large": 413 } as const;

/**
 * Answers Lambda's `Invoke`, by a function's name, for whoever calls functions as on AWS: waits for the answer, as
 * `RequestResponse` does.
 */
export async function startLambdaApi(functions: () => Iterable<Lambda>): Promise<LoopbackServer> {
  return startLoopbackServer({ port: 0 }, async (incoming, outgoing) => {
    const answer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): void => {
      outgoing.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    };
    const refuse = (status: number, type: string, message: string): void => {
      answer(status, JSON.stringify({ Message: message }), { "x-amzn-errortype": type });
    };
    const [, name] = INVOKE.exec(new URL(`http://lambda${incoming.url ?? "/"}`).pathname) ?? [];
    const called = [...functions()].find((each) => each.name === name);
    if (incoming.method !== "POST" || called === undefined) {
      refuse(404, "ResourceNotFoundException", `Function not found: ${name ?? "none is named"}`);
      return;
    }
    const text = (await readBody(incoming)).toString("utf8");
    let event: unknown;
    try {
      event = text === "" ? {} : JSON.parse(text);
    } catch {
      refuse(400, "InvalidRequestContentException", "Could not parse request body into json");
      return;
    }
    const result: InvocationResult = await called.invoke(event);
    if (result.kind === "answer") answer(200, result.payload);
    else if (result.kind === "throttled" || result.kind === "too-large") {
      refuse(STATUSES[result.kind], result.errorType, result.message);
    } else {answer(200, JSON.stringify({ errorType: result.errorType, errorMessage: result.message }), {
        "x-amz-function-error": "Unhandled",
      });}
  });
}
