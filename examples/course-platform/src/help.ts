import { element } from "./element.ts";
import type { Account } from "./session.ts";

/** "I paid and can't get in": what the account has, and what to do. */
export function help(account: Account | null): HTMLElement {
  const steps = account === null
    ? ["Log in with the address that you bought with. The first time, choose a password by the link in your mail."]
    : stepsOf(account);
  return element("details", {}, [
    element("summary", {}, ["I paid and can't get in"]),
    ...(account === null ? [] : [facts(account)]),
    element("ol", {}, steps.map((step) => element("li", {}, [step]))),
  ]);
}

function facts({ email, emailVerified, roles }: Account): HTMLElement {
  const rows = [
    ["You are logged in as", email ?? "a name without an email"],
    ["That address is", email === null ? "not known" : emailVerified ? "verified" : "not verified"],
    ["Your account has", roles.size === 0 ? "no course yet" : [...roles].join(", ")],
  ];
  return element("dl", {},
    rows.flatMap(([term = "", value = ""]) => [element("dt", {}, [term]), element("dd", {}, [value])]));
}

function stepsOf({ email, emailVerified }: Account): readonly string[] {
  return [
    ...(email !== null && !emailVerified
      ? [
        'Follow the link in the mail "Verify your email", then log out and in: courses open for verified ' +
        "addresses only.",
      ]
      : []),
    "Just bought? It takes some seconds. This page looks again by itself.",
    `Is ${email ?? "that"} the address on Gumroad's receipt? If it is another, log out, and log in with that one.`,
    "Refunded, or a membership that ended? Then the course closes again.",
    "Still locked? Answer Gumroad's receipt: that mail reaches the seller, who can move the purchase to this account.",
  ];
}
