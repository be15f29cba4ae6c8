import { textIn } from "./answer.ts";
import { button, element } from "./element.ts";
import { type Account, claimsOf, rolesIn, type Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** Where the token is between two pages: in this window, or in this browser for who stays logged in. */
const KEPT = "courses-token";
const places = (): readonly Storage[] => [sessionStorage, localStorage];

/** Logs in with the service's own login: a name and a password, on this page. `ask` shows a form. */
export function ownSession({ api }: Settings, ask: (form: HTMLFormElement) => void): Session {
  const account = (token: string): Account => {
    const claims = claimsOf(token);
    return { name: String(claims["sub"]), email: null, emailVerified: false, roles: rolesIn(claims["roles"]),
      pending: false };
  };
  const kept = (): string | null =>
    places().map((place) => place.getItem(KEPT)).find((token) => token !== null) ?? null;
  const forget = (): void => places().forEach((place) => place.removeItem(KEPT));
  const keep = (token: string): Account => {
    forget();
    (claimsOf(token)["remember"] === true ? localStorage : sessionStorage).setItem(KEPT, token);
    return account(token);
  };

  /** The same login with a newer token, as long as the service renews it; null: it is over. */
  async function renew(): Promise<Account | null> {
    const token = kept();
    if (token === null) return null;
    const answer = await post(`${api}/verify`, { token });
    const now = kept();
    // A log-out or another login came in between, here or in another tab: that has the last word.
    if (now !== token) return now === null ? null : account(now);
    if (answer.status === 401) {
      forget();
      return null;
    }
    return keep(textIn(answer.body, "token") ?? token);
  }

  /** A token ends; several looks before that, lest one that fails, or a slow timer, costs the login. */
  function unseenMs(): number {
    const { iat, exp } = claimsOf(kept() ?? "");
    return ((Number(exp) - Number(iat)) * 1_000) / 4;
  }

  return { begin: renew, logIn: () =>
    new Promise((resolve) => {
      const showLogin = (): void =>
        ask(loginForm(showCode, async (username, password, remember) => {
          const answer = await post(`${api}/login`, { username, password, remember });
          const token = textIn(answer.body, "token");
          if (token === null) return wrongIn(answer.body);
          keep(token);
          resolve(true);
          return null;
        }));
      const showCode = (): void =>
        ask(codeForm(async (username, password, newPassword) => {
          const answer = await post(`${api}/password`, { username, password, newPassword });
          if (answer.status !== 200) return wrongIn(answer.body);
          showLogin();
          return null;
        }));
      showLogin();
    }), logOut: () => Promise.resolve(forget()), forget: () => Promise.resolve(forget()), renew, unseenMs,
    token: () => Promise.resolve(kept() ?? "") };
}

/** `send` gives what was wrong, or null. */
function loginForm(showCode: () => void,
  send: (username: string, password: string, remember: boolean) => Promise<string | null>): HTMLFormElement {
  const username = element("input", { name: "username", autocomplete: "username", required: "" });
  const password = element("input", { name: "password", type: "password", autocomplete: "current-password",
    required: "" });
  const remember = element("input", { name: "remember", type: "checkbox", "aria-describedby": "how-long" });
  return formOf("Log in", [
    element("label", {}, ["Name", username]),
    element("label", {}, ["Password", password]),
    element("label", { class: "check" }, [remember, "Stay logged in while this page is open, up to 30 days"]),
    element("p", { id: "how-long" }, [
      "Closed or asleep for an hour, it asks you again. Else you stay logged in for 12 hours, in this tab.",
    ]),
  ], () => send(username.value, password.value, remember.checked), [
    button("I have a code", () => Promise.resolve(showCode())),
  ]);
}

/** For who forgot the password, and was given a one-time code by the seller. */
function codeForm(
  send: (username: string, code: string, newPassword: string) => Promise<string | null>,
): HTMLFormElement {
  const username = element("input", { name: "username", autocomplete: "username", required: "" });
  const code = element("input", { name: "code", autocomplete: "one-time-code", required: "" });
  const next = element("input", { name: "new-password", type: "password", autocomplete: "new-password",
    required: "" });
  return formOf("A new password", [
    element("p", {}, ["Forgot your password? Ask the seller for a code."]),
    element("label", {}, ["Name", username]),
    element("label", {}, ["Code", code]),
    element("label", {}, ["New password", next]),
  ], () => send(username.value, code.value.trim(), next.value));
}

function formOf(name: string, fields: readonly Node[], send: () => Promise<string | null>,
  more: readonly Node[] = []): HTMLFormElement {
  const fault = element("p", { class: "fault", role: "alert", hidden: "" });
  const go = element("button", { class: "first" }, ["Continue"]);
  const form = element("form", { "aria-label": name }, [...fields, fault, go, ...more]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go.disabled = true;
    void send().then((wrong) => {
      go.disabled = false;
      fault.hidden = wrong === null;
      fault.textContent = wrong ?? "";
    });
  });
  return form;
}

function wrongIn(body: unknown): string {
  return textIn(body, "error") ?? "That didn't work. Try again in a minute.";
}

async function post(url: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify(body) }).catch(() => null);
  return { status: answer?.status ?? 0, body: await answer?.json().catch(() => null) };
}
