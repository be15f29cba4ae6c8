/** Requests as the HTTP API hands them to a function, in payload format 2.0, and the answers read back. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";

/** What of a request matters to these tests. */
export interface RequestParts {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly sourceIp?: string;
  readonly pathParameters?: Record<string, string>;
  readonly base64?: boolean;
  readonly routeKey?: string;
}

/** A `body` that is no text is sent as JSON, as a browser's fetch does: with the content type text/plain. */
export function httpEvent(
  { body, headers = {}, sourceIp = "203.0.113.7", pathParameters, base64 = false, routeKey = "$default" }:
    RequestParts,
): APIGatewayProxyEventV2 {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { version: "2.0", routeKey, rawPath: "/", rawQueryString: "",
    headers: { "content-type": "text/plain;charset=UTF-8", "x-forwarded-for": "192.0.2.99", ...headers },
    requestContext: { accountId: "000000000000", apiId: "local", domainName: "127.0.0.1", domainPrefix: "local",
      http: { method: "POST", path: "/", protocol: "HTTP/1.1", sourceIp, userAgent: "test" }, requestId: "request",
      routeKey, stage: "$default", time: "22/Nov/2026:10:00:00 +0000", timeEpoch: 1_795_341_600_000 },
    ...(body === undefined ? {} : { body: base64 ? Buffer.from(text).toString("base64") : text }),
    ...(pathParameters === undefined ? {} : { pathParameters }), isBase64Encoded: base64 };
}

/** A context with a long time left. */
export const context: Context = { callbackWaitsForEmptyEventLoop: false, functionName: "test", functionVersion: "1",
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:000000000000:function:test", memoryLimitInMB: "512",
  awsRequestId: "request", logGroupName: "log", logStreamName: "log", getRemainingTimeInMillis: () => 30_000,
  done: () => undefined, fail: () => undefined, succeed: () => undefined };

/** A function as Lambda calls it. */
export type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

/** An answer, its body parsed. */
export interface Answer {
  readonly status: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: unknown;
}

/** Sends a request to a function. */
export async function send(handler: Handler, request: RequestParts): Promise<Answer> {
  const { statusCode, headers = {}, body = "" } = await handler(httpEvent(request), context);
  return { status: statusCode, headers, body: JSON.parse(body) };
}
