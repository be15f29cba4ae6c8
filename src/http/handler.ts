import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";

import { causesOf, log } from "../log.ts";
import { errorBody, HttpError } from "./errors.ts";

/**
 * A function behind the HTTP API: an event of payload format 2.0 in, a response out. It throws `HttpError` for
 * everything but success.
 */
export type HttpFunction = (event: APIGatewayProxyEventV2,
  context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

/** Wraps a function for the HTTP API: errors become JSON bodies, strangers never see a stack, the log does. */
export function httpHandler(answer: HttpFunction) {
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(
      httpErrorHandler({ logger: logFailure,
        fallbackMessage: errorBody("Something went wrong on our side. Try again in a minute.") }),
    )
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

function logFailure(error: unknown): void {
  if (!(error instanceof HttpError)) {
    log.error("unhandled error", error instanceof Error ? error : new Error("not an error", { cause: error }));
  } else if (error.statusCode >= 500) {
    log.error("answered with a failure", { status: error.statusCode, reason: error.reason,
      causes: causesOf(error.cause) });
  } else {
    log.warn("refused a request", { status: error.statusCode, reason: error.reason });
  }
}
