import { element } from "./element.ts";
import type { Account } from "./session.ts";

/** "I paid and can't get in": what the account has, and what to do; `claim` is the form for a licence key. */
export function help(account: Account | null, claim: HTMLElement): HTMLDetailsElement {
  const steps = account === null
    ? ["Log in with the address that you bought with. The first time, choose a password by the link in your mail."]
    : stepsOf(account);
  return element("details", {}, [
    element("summary", {}, ["I paid and can't get in"]),
    ...(account === null ? [] : [facts(account)]),
    element("ol", {}, steps.map((step) => element("li", {}, [step]))),
    ...(account === null ? [] : [claim]),
  ]);
}

function facts({ email, emailVerified, roles, pending }: Account): HTMLElement {
  const rows = [
    ["This account is", email ?? "a name without an email"],
    ["That address is", email === null ? "not known" : emailVerified ? "verified" : "not verified"],
    ["Your account has", roles.size > 0 ? [...roles].join(", ") : pending ? "not known yet" : "no course yet"],
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
    email === null
      ? "This login knows no addresses: show the licence key of your purchase below."
      : `Is ${email} the address on Gumroad's receipt? Else log in with that one, or show the licence key.`,
    "Refunded, or a membership that ended? Then the course closes again.",
    "Still locked? Answer Gumroad's receipt: that mail reaches the seller, who can move the purchase to this account.",
  ];
}
