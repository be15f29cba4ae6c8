import { describe, expect, it } from "@jest/globals";

import { corsHeaders, preflightHeaders } from "../../local/aws/cors.ts";

const cors = (...allowedOrigins: string[]) => ({ allowedOrigins, allowedHeaders: ["authorization"],
  allowedMethods: ["GET", "POST"], exposedHeaders: [], allowCredentials: false, maxAgeSeconds: undefined });
const answerTo = (allowed: string, origin: string) =>
  corsHeaders(cors(allowed), origin)["access-control-allow-origin"];

describe("the origins that API Gateway allows", () => {
  it.each([
    { allowed: "*", origin: "https://a.example", answer: "*" },
    { allowed: "https://a.example", origin: "https://a.example", answer: "https://a.example" },
    { allowed: "http://*", origin: "http://localhost:5173", answer: "http://localhost:5173" },
    { allowed: "https://*", origin: "https://a.example:8443", answer: "https://a.example:8443" },
  ])("are $allowed for $origin", ({ allowed, origin, answer }) => {
    expect(answerTo(allowed, origin)).toBe(answer);
    expect(preflightHeaders(cors(allowed), origin, "POST")["access-control-allow-origin"]).toBe(answer);
  });

  it.each([
    { allowed: "http://*", origin: "https://a.example" },
    { allowed: "https://*", origin: "http://localhost:5173" },
    { allowed: "http://*", origin: "null" },
    { allowed: "http://localhost:8000", origin: "http://localhost:8000.evil.example" },
    { allowed: "http://localhost:*", origin: "http://localhost:8000" },
    { allowed: "https://*.a.example", origin: "https://b.a.example" },
  ])("are not $allowed for $origin", ({ allowed, origin }) => {
    expect(answerTo(allowed, origin)).toBeUndefined();
    expect(preflightHeaders(cors(allowed), origin, "POST")).toEqual({});
  });
});
