import type { RawRequest } from "emulator-server/json-server";
import { badRequest } from "./answer.ts";

/** The body as JSON; undefined if there is none. Throws a 400. */
export function jsonOf({ body }: RawRequest): unknown {
  if (body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw badRequest("The body is no JSON.");
  }
}

/** Query and body (a form, or flat JSON) together, as Rails has them. */
export function parametersOf(request: RawRequest): Map<string, string> {
  const parameters = new Map(request.query);
  if (request.contentType === "application/json") {
    const body = jsonOf(request);
    if (typeof body === "object" && body !== null) {
      for (const [name, value] of Object.entries(body)) {
        if (["string", "number", "boolean"].includes(typeof value)) parameters.set(name, String(value));
      }
    }
  } else {
    for (const [name, value] of new URLSearchParams(request.body)) parameters.set(name, value);
  }
  return parameters;
}
