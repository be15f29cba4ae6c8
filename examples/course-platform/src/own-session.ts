import { textIn } from "./answer.ts";
import { element } from "./element.ts";
import { type Account, claimsOf, rolesIn, type Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** Where the token is between two pages: this window only. */
const KEPT = "courses-token";

/** Logs in with the service's own login: a name and a password, on this page. `ask` shows the form. */
export function ownSession({ api }: Settings, ask: (form: HTMLFormElement) => void): Session {
  const account = (token: string): Account => {
    const claims = claimsOf(token);
    return { name: String(claims["sub"]), email: null, emailVerified: false, roles: rolesIn(claims["roles"]) };
  };
  const keep = (token: string): Account => {
    sessionStorage.setItem(KEPT, token);
    return account(token);
  };

  /** The same token, or a newer one where the service renews it; null: it is over. */
  async function renew(): Promise<Account | null> {
    const token = sessionStorage.getItem(KEPT);
    if (token === null) return null;
    const answer = await post(`${api}/verify`, { token });
    if (answer.status === 401) {
      sessionStorage.removeItem(KEPT);
      return null;
    }
    return keep(textIn(answer.body, "token") ?? token);
  }

  return { begin: renew, logIn: () =>
    new Promise((resolve) => {
      ask(loginForm(async (username, password) => {
        const answer = await post(`${api}/login`, { username, password });
        const token = textIn(answer.body, "token");
        if (token === null) return textIn(answer.body, "error") ?? "That didn't work. Try again in a minute.";
        keep(token);
        resolve();
        return null;
      }));
    }), logOut: () => {
      sessionStorage.removeItem(KEPT);
      return Promise.resolve();
    }, renew, token: () => Promise.resolve(sessionStorage.getItem(KEPT) ?? "") };
}

/** `send` gives what was wrong, or null. */
function loginForm(send: (username: string, password: string) => Promise<string | null>): HTMLFormElement {
  const username = element("input", { name: "username", autocomplete: "username", required: "" });
  const password = element("input", { name: "password", type: "password", autocomplete: "current-password",
    required: "" });
  const fault = element("p", { class: "fault", role: "alert", hidden: "" });
  const form = element("form", { "aria-label": "Log in" }, [
    element("label", {}, ["Name", username]),
    element("label", {}, ["Password", password]),
    fault,
    element("button", { class: "first" }, ["Continue"]),
  ]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(username.value, password.value).then((wrong) => {
      fault.hidden = wrong === null;
      fault.textContent = wrong ?? "";
    });
  });
  return form;
}

async function post(url: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify(body) }).catch(() => null);
  return { status: answer?.status ?? 0, body: await answer?.json().catch(() => null) };
}
