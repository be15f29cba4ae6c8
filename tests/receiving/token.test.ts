import { expect, it } from "@jest/globals";

import { tokenOf } from "../../src/receiving/token.ts";
import { httpEvent } from "../accounts/http-events.ts";

it("a token of nothing but slashes and one letter takes no longer than any of its length", () => {
  const token = `${"/".repeat(1_000_000)}a`;
  expect(tokenOf(httpEvent({ pathParameters: { token } }))).toBe(token);
  expect(tokenOf(httpEvent({ pathParameters: { token: "secret///" } }))).toBe("secret");
});
