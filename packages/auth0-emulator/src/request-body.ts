import type { RawRequest } from "emulator-server/json-server";
import { Refusal } from "./refusal.ts";

/** Bytes of the longest body that is read: Auth0's limit for its Management API. */
const LONGEST_BODY = 1_048_576;

/** Throws 413 for a body above 1 MiB. */
export function refuseLongBody({ bodyBytes }: RawRequest): void {
  if (bodyBytes > LONGEST_BODY) {
    throw new Refusal(413, `Payload content length greater than maximum allowed: ${String(LONGEST_BODY)}`);
  }
}

/** The body as JSON or as a form, by its content type; undefined when there is none. Throws 400 and 415. */
export function parseBody({ body, contentType }: RawRequest): unknown {
  if (body === "") return undefined;
  if (contentType === "application/x-www-form-urlencoded") return fieldsOf(new URLSearchParams(body));
  if (contentType !== "application/json") throw new Refusal(415, "Unsupported Media Type");
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Refusal(400, "Invalid request payload JSON format", undefined, { cause: error });
  }
}

/** The fields of a form or a query; a name that comes several times has a list. */
export function fieldsOf(parameters: URLSearchParams): Record<string, string | string[]> {
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => {
    const values = parameters.getAll(name);
    return [name, values.length === 1 ? (values[0] ?? "") : values];
  }));
}
