import type { CorsSpec } from "./template.ts";

/**
 * The headers API Gateway sets on an answer to a page of an allowed origin; none for others, so that the browser
 * refuses.
 */
export function corsHeaders(cors: CorsSpec, origin: string | undefined): Record<string, string> {
  if (origin === undefined || !allowsOrigin(cors.allowedOrigins, origin)) return {};
  return { "access-control-allow-origin": cors.allowedOrigins.includes("*") ? "*" : origin,
    ...(cors.allowedOrigins.includes("*") ? {} : { vary: "Origin" }),
    ...(cors.allowCredentials ? { "access-control-allow-credentials": "true" } : {}),
    ...(cors.exposedHeaders.length > 0 ? { "access-control-expose-headers": cors.exposedHeaders.join(",") } : {}) };
}

/** The headers of the answer to a preflight request, which API Gateway gives without asking a function. */
export function preflightHeaders(cors: CorsSpec, origin: string, method: string | undefined): Record<string, string> {
  if (!allowsOrigin(cors.allowedOrigins, origin) || method === undefined || !allows(cors.allowedMethods, method)) {
    return {};
  }
  return { ...corsHeaders(cors, origin), "access-control-allow-methods": cors.allowedMethods.join(","),
    "access-control-allow-headers": cors.allowedHeaders.join(","),
    ...(cors.maxAgeSeconds === undefined ? {} : { "access-control-max-age": String(cors.maxAgeSeconds) }) };
}

function allows(list: readonly string[], value: string): boolean {
  return list.includes("*") || list.includes(value);
}

/** An HTTP API takes whole origins and three wildcards, `*`, `http://*` and `https://*`; a `*` elsewhere is none. */
function allowsOrigin(list: readonly string[], origin: string): boolean {
  return allows(list, origin) || allows(list, origin.replace(/^(https?:\/\/).*/, "$1*"));
}
