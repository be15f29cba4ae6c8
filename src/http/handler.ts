import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import type * as z from "zod/mini";

import { NeedsPersonError, TemporaryError } from "../errors.ts";
import { jsonIn } from "../json.ts";
import { causesOf, log } from "../log.ts";
import { count } from "../metrics.ts";
import { HttpError } from "./errors.ts";

/** A function behind the HTTP API: an event of payload format 2.0 in, an answer out. What it throws is answered. */
export type HttpFunction = (event: APIGatewayProxyEventV2,
  context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

/** Wraps a function for the HTTP API: errors become JSON bodies, strangers never see a stack, the log does. */
export function httpHandler(answer: HttpFunction) {
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(httpErrorHandler({ logger: false }))
    // What is attached last looks at an error first.
    .onError((request) => {
      request.error = failed(request.error);
    })
    .handler(answer);
}

/** A successful answer. */
export function json(body: unknown, statusCode = 200): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
    body: JSON.stringify(body) };
}

/** The request's body as text; API Gateway encodes form bodies as base64. */
export function bodyOf(event: APIGatewayProxyEventV2): string {
  const body = event.body ?? "";
  return event.isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body;
}

/** Far above the body of any call but a ping's. What is larger isn't parsed: a stranger's JSON can cost seconds. */
const LARGEST_BYTES = 8 * 1024;

/**
 * The JSON body of a call, in the given shape. The content type is not looked at: clients of fetch say text/plain.
 * @throws {HttpError} 413 above 8 KB; 400 if the body is not JSON, or naming the field that is missing or wrong
 */
export function jsonBodyOf<T>(event: APIGatewayProxyEventV2, shape: z.ZodMiniType<T>): T {
  const body = bodyOf(event);
  if (Buffer.byteLength(body) > LARGEST_BYTES) {
    throw new HttpError(413, "The body is larger than 8 KB, which no call of this kind is.");
  }
  const json = jsonIn(body);
  if (json === undefined) throw new HttpError(400, "The body is not JSON.");
  const fields = shape.safeParse(json);
  if (fields.success) return fields.data;
  const [name] = fields.error.issues.flatMap((issue) => issue.path);
  throw new HttpError(400,
    name === undefined ? "The body has to be a JSON object." : `The field "${String(name)}" is missing or wrong.`);
}

/** Logs an error, and gives it as `@middy/http-error-handler` takes one: its message is the answer's body. */
function failed(error: unknown): Error {
  const { statusCode, message, headers, cause } = error instanceof HttpError ? error : answerTo(error);
  if (statusCode >= 500) {
    log.error("answered with a failure", { status: statusCode, causes: causesOf(cause),
      stack: cause instanceof Error ? cause.stack : undefined });
  } else log.warn("refused a request", { status: statusCode, reason: message });
  return Object.assign(new Error(JSON.stringify({ status: "error", error: message })), { statusCode, expose: true,
    headers: { "Cache-Control": "no-store", ...headers } });
}

/** What is temporary or waits for a person is a 503, after which Gumroad's pings return; the rest is our mistake. */
function answerTo(error: unknown): HttpError {
  if (error instanceof NeedsPersonError) count("NeedsPerson");
  return error instanceof NeedsPersonError || error instanceof TemporaryError
    ? new HttpError(503, "This can't be answered just now. Try again in a minute.", { cause: error,
      headers: { "Retry-After": "60" } })
    : new HttpError(500, "Something went wrong on our side. Try again in a minute.", { cause: error });
}
