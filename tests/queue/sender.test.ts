import { describe, expect, it } from "@jest/globals";

import { readMessage, type Message } from "../../src/queue/message.ts";
import { requireOperator } from "../../src/queue/sender.ts";

const outside = ["AROAPING", "AROABIND"];
const envelope = { v: 1, requestId: "r", buyer: "ann@example.com" };
const message = (fields: object): Message => readMessage(JSON.stringify({ ...envelope, ...fields }));
const held = message({ kind: "held", productId: "p==", decision: "release", at: 1, by: "me", why: "" });
const decisions = [held, message({ kind: "invite", by: "me", why: "" })];
const hints = [message({ kind: "due" }), message({ kind: "bind", spelling: null })];

describe("what only an operator decides", () => {
  it.each(decisions)("is refused from ping's or bind's role: $kind", (decision) => {
    for (const sender of ["AROAPING:gumroad-auth0-prod-ping", "AROABIND:x", "AROAPING"]) {
      expect(() => requireOperator(decision, sender, outside)).toThrow(
        expect.objectContaining({ code: "SENDER_NOT_OPERATOR" }),
      );
    }
  });

  it.each(decisions)("is taken from anybody else who may send: $kind", (decision) => {
    for (const sender of ["AIDAOPERATOR", "AROAPROVISION:gumroad-auth0-prod-provision", "AROAPINGX:ping", "local"]) {
      expect(() => requireOperator(decision, sender, outside)).not.toThrow();
    }
  });

  it.each(hints)("is no hint: $kind comes from a function", (hint) => {
    expect(() => requireOperator(hint, "AROAPING:gumroad-auth0-prod-ping", outside)).not.toThrow();
  });
});
