import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type * as z from "zod/mini";

import { jsonIn } from "../json.ts";
import { HttpError } from "./errors.ts";
import { bodyOf } from "./handler.ts";

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
