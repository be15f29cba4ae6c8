import { describe, expect, it } from "@jest/globals";

import { auth0SecretShape } from "../../src/auth0/secret.ts";
import { isBaseUrl, isLoopback } from "../../src/config/base-url.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";

const sentTo = (url: string) => ({
  auth0: auth0SecretShape.safeParse({ domain: url, client_id: "id", client_secret: "secret" }).success,
  gumroad: gumroadSecretShape.safeParse({ access_token: "token", seller_id: "seller", api: url }).success,
});

describe("a secret", () => {
  it.each(["http://127.evil.example", "http://127.0.0.1.evil.example", "http://localhost.evil.example",
    "https://name:word@example.com", "https://:word@example.com", "https://example.com/?a=b", "http://example.com"])(
      "is not sent to %s",
      (url) => {
        expect(sentTo(url)).toEqual({ auth0: false, gumroad: false });
      },
    );

  it.each(["https://example.com/base/", "http://127.0.0.1:3001", "http://127.1", "http://[::1]:1",
    "http://localhost:3001"])("may be sent to %s", (url) => {
      expect(sentTo(url)).toEqual({ auth0: true, gumroad: true });
    });
});

describe("a URL without https", () => {
  it("is good enough on this machine only, which no name that begins like its number is", () => {
    expect(isLoopback(new URL("http://127.9.8.7/ping"))).toBe(true);
    expect(isLoopback(new URL("https://127.evil.example/ping"))).toBe(false);
    expect(isBaseUrl("127.0.0.1:3001")).toBe(false);
  });
});
