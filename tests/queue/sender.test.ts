import { describe, expect, it } from "@jest/globals";

import { readMessage, type Message } from "../../src/queue/message.ts";
import { outsideRolesOf, requireSender } from "../../src/queue/sender.ts";

const outside = outsideRolesOf("ping:AROAPING,bind:AROABIND,reconcile:AROARECONCILE,claim:AROACLAIM");
const envelope = { v: 1, requestId: "r", buyer: "ann@example.com" };
const message = (fields: object): Message => readMessage(JSON.stringify({ ...envelope, ...fields }));
const claim = { kind: "claim", saleId: "s==", by: "email:eve@example.com", at: 1 };
const held = message({ kind: "held", productId: "p==", decision: "release", at: 1, by: "me", why: "" });
const decisions = [held, message({ kind: "invite", by: "me", why: "" }),
  message({ ...claim, decided: { state: "granted", by: "me", why: "" } })];
const own = [
  { name: "bind", sent: message({ kind: "bind", spelling: null }) },
  { name: "reconcile", sent: message({ kind: "due" }) },
  { name: "claim", sent: message({ ...claim, decided: null }) },
];

describe("what only an operator decides", () => {
  it.each(decisions)("is refused from each function that takes calls from outside: $kind", (decision) => {
    for (const sender of ["AROAPING:gumroad-auth0-prod-ping", "AROABIND:x", "AROAPING", "AROARECONCILE:x",
      "AROACLAIM:x"]) {
      expect(() => requireSender(decision, sender, outside)).toThrow(
        expect.objectContaining({ code: "SENDER_NOT_OPERATOR" }),
      );
    }
  });

  it.each(decisions)("is taken from anybody else who may send: $kind", (decision) => {
    for (const sender of ["AIDAOPERATOR", "AROAPROVISION:gumroad-auth0-prod-provision", "AROAPINGX:ping", "local"]) {
      expect(() => requireSender(decision, sender, outside)).not.toThrow();
    }
  });
});

describe("what a function sends", () => {
  it.each(own)("is taken from $name, and from no other function", ({ name, sent }) => {
    for (const [id, each] of outside) {
      const check = () => requireSender(sent, `${id}:session`, outside);
      if (each === name) expect(check).not.toThrow();
      else expect(check).toThrow(expect.objectContaining({ code: "SENDER_NOT_OPERATOR" }));
    }
  });
});
