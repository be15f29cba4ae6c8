import { readFileSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import * as z from "zod";

import { faultOf, parameters, parametersIn, withoutEmptyParameters } from "../../../scripts/bundling/parameters.ts";

const paramsShape = z.object({ params: z.record(z.string(), z.record(z.string(), z.unknown())) });
const { params } = paramsShape.parse(
  parse(readFileSync("serverless.yml", "utf8"), { logLevel: "error", maxAliasCount: -1 }),
);

describe("the parameters of serverless.yml", () => {
  it("are described, all of them and no others", () => {
    expect(Object.keys(parameters).sort()).toEqual(Object.keys(params["default"] ?? {}).sort());
  });

  it("have values there that their description takes", () => {
    const given = Object.values(params).flatMap((set) => Object.entries(set)).filter(([name]) =>
      name !== "allowedOrigins"
    );
    expect(given.flatMap(([name, value]) => faultOf(name, String(value)) ?? [])).toEqual([]);
  });

  it.each([
    ["access=app_metadata"],
    ["alarmEmail=you@example.com"],
    ["alarmEmail="],
    ["pingConcurrency=20", "rolesClaim=https://example.com/roles=x"],
    ["auth0Issuer=https://tenant.eu.auth0.com/"],
  ])("are taken: %s %s", (...given) => {
    expect(() => parametersIn(["--stage", "prod", ...given.flatMap((each) => ["--param", each])])).not.toThrow();
    expect(() => parametersIn(given.map((each) => `--param=${each}`))).not.toThrow();
  });

  it("go without those that are empty to serverless, which takes none without a value", () => {
    expect(
      withoutEmptyParameters(["--stage", "prod", "--param", "alarmEmail=", "--param=rolesClaim=", "--param",
        "rolesClaim=https://example.com/x=", "--param", "logLevel=INFO", "--region="]),
    ).toEqual(["--stage", "prod", "--param", "rolesClaim=https://example.com/x=", "--param", "logLevel=INFO",
      "--region="]);
  });

  it.each([
    { given: "access=meta", message: "it takes roles, app_metadata; did you mean app_metadata?" },
    { given: "acces=roles", message: "there is no such parameter; did you mean access?" },
    { given: "loglevel=DEBUG", message: "there is no such parameter; did you mean logLevel?" },
    { given: "logLevel=debug",
      message: "it takes TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL, SILENT; did you mean DEBUG?" },
    { given: "gettingIn=passwordles", message: "it takes invite, passwordless, none; did you mean passwordless?" },
    { given: "signUp=no", message: "it takes open, closed" },
    { given: "colour=red", message: "there is no such parameter" },
    { given: "pingConcurrency=0", message: "it takes a number from 1, or nothing" },
    { given: "alarmEmail=you", message: "it takes an email address, or nothing" },
    { given: "auth0Issuer=https://tenant.auth0.com",
      message: "it takes the tenant's https URL with a slash at its end, or nothing" },
    { given: "auth0Issuer=http://tenant.auth0.com/",
      message: "it takes the tenant's https URL with a slash at its end, or nothing" },
    { given: "rolesClaim=has space", message: "it takes a URL, or nothing" },
    { given: "rolesClaim=abc", message: "it takes a URL, or nothing" },
    { given: "allowedOrigins=https://a.example", message: "it takes a list, which only serverless.yml can give" },
    { given: "access", message: 'it takes NAME=VALUE, such as "logLevel=DEBUG"' },
  ])("are refused in one line: $given", ({ given, message }) => {
    expect(() => parametersIn(["--param", "logLevel=INFO", "--param", given])).toThrow(
      expect.objectContaining({ code: "PARAM_INVALID", message: `--param "${given}": ${message}` }),
    );
  });
});
