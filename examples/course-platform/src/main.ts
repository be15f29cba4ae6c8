/** The page: the catalogue, open or locked by the roles of whoever is logged in. */
import { auth0Session } from "./auth0-session.ts";
import { type Course, COURSES } from "./catalogue.ts";
import { button, element } from "./element.ts";
import { help } from "./help.ts";
import { lesson } from "./lesson.ts";
import { ownSession } from "./own-session.ts";
import type { Account, Session } from "./session.ts";
import { settingsOf } from "./settings.ts";

/** How often the page looks for a role that just came, while it is seen. */
const LOOK_AGAIN_MS = 10_000;

const settings = settingsOf(window.COURSES ?? {});
const place = (id: string): HTMLElement => document.getElementById(id) ?? document.body;
const session: Session = new URLSearchParams(location.search).get("login") === "own"
  ? ownSession(settings, (form) => {
    place("doors").replaceChildren(form);
    form.querySelector("input")?.focus();
  })
  : auth0Session(settings);

let shown: Account | null = null;

function show(account: Account | null): void {
  shown = account;
  place("account").textContent = account === null ? "Nobody is logged in." : `Logged in as ${account.name}`;
  place("doors").replaceChildren(
    account === null ? button("Log in", logIn, { class: "first" }) : button("Log out", logOut),
  );
  place("catalogue").replaceChildren(...COURSES.map((course) => region(course, account)));
  place("catalogue").setAttribute("aria-busy", "false");
  place("help").replaceChildren(help(account));
}

function region({ name, role, about, slug }: Course, account: Account | null): HTMLElement {
  const isOpen = account?.roles.has(role) === true;
  const words = element("div", { role: "status" });
  const read = button("Read the lesson", async () => {
    const answer = await lesson(settings.api, role, await session.token());
    words.replaceChildren(
      "text" in answer ? element("blockquote", {}, [answer.text]) : element("p", { class: "fault" }, [answer.refused]),
    );
  }, { class: "first" });
  const buy = element("a", { class: "button", href: `${settings.shop}${slug}` }, [`Buy`]);
  const id = `course-${role}`;
  return element("section", { "aria-labelledby": id }, [
    element("h2", { id }, [name]),
    element("p", {}, [about]),
    element("p", { class: "state" }, [isOpen ? "Open" : "Locked"]),
    isOpen ? read : buy,
    words,
  ]);
}

async function logIn(): Promise<void> {
  await session.logIn();
  show(await session.renew());
}

async function logOut(): Promise<void> {
  await session.logOut();
  show(null);
}

/** A purchase gives its role within seconds, a refund takes it: the page follows without a new login. */
async function lookAgain(): Promise<void> {
  if (document.hidden || shown === null) return;
  const now = await session.renew();
  const key = (account: Account | null) =>
    JSON.stringify(account === null ? null : [account.emailVerified, [...account.roles]]);
  if (key(now) !== key(shown)) show(now);
}

show(await session.begin().catch(() => null));
setInterval(() => void lookAgain(), LOOK_AGAIN_MS);
document.addEventListener("visibilitychange", () => void lookAgain());
