/** The page: the catalogue, open or locked by the roles of whoever is logged in. */
import { auth0Session } from "./auth0-session.ts";
import { type Course, COURSES } from "./catalogue.ts";
import { claimForm, requestsFor } from "./claim.ts";
import { button, element } from "./element.ts";
import { help } from "./help.ts";
import { lesson, unreachable } from "./lesson.ts";
import { ownSession } from "./own-session.ts";
import type { Account, Session } from "./session.ts";
import { settingsOf } from "./settings.ts";

/** How often the page looks for a role that just came, while it is seen; and how soon where one may come. */
const LOOK_AGAIN_MS = 10_000;
const SOON_MS = 2_000;

const settings = settingsOf(window.COURSES ?? {});
const place = (id: string): HTMLElement => document.getElementById(id) ?? document.body;
const session: Session = new URLSearchParams(location.search).get("login") === "own"
  ? ownSession(settings, (form) => {
    place("doors").replaceChildren(form);
    form.querySelector("input")?.focus();
  })
  : auth0Session(settings);

let shown: Account | null = null;
let lookedAt = Date.now();
/** One form for as long as somebody is logged in: a role that comes leaves what is typed into it, and its answer. */
let claim = claimForm(settings.api, session.token);

function show(account: Account | null, whoElse = "Nobody is logged in."): void {
  if (account?.name !== shown?.name) claim = claimForm(settings.api, session.token);
  const focused = document.activeElement;
  shown = account;
  if (account?.pending === true) setTimeout(() => void lookAgain(), SOON_MS);
  place("account").textContent = account === null
    ? whoElse
    : `Logged in as ${account.name}${account.pending ? ". Your purchases are being looked up …" : ""}`;
  place("doors").replaceChildren(
    account === null ? button("Log in", logIn, { class: "first" }) : button("Log out", logOut),
  );
  place("catalogue").replaceChildren(...COURSES.map((course) => region(course, account)));
  place("catalogue").setAttribute("aria-busy", "false");
  const isReading = place("help").querySelector("details")?.open === true;
  const steps = help(account, claim);
  steps.open = isReading;
  place("help").replaceChildren(steps);
  if (focused instanceof HTMLElement && claim.contains(focused)) focused.focus();
  place("requests").replaceChildren();
  if (account !== null) void showRequests();
}

/** What others ask for of what is this account's. */
async function showRequests(): Promise<void> {
  const requests = await session.token().then((token) => requestsFor(settings.api, token), () => []);
  place("requests").replaceChildren(...requests.map((words) => element("p", { class: "request" }, [words])));
}

function region({ name, role, about, slug }: Course, account: Account | null): HTMLElement {
  const isOpen = account?.roles.has(role) === true;
  const words = element("div", { role: "status" });
  const read = button("Read the lesson", async () => {
    const answer = await session.token().then((token) => lesson(settings.api, role, token), () => unreachable);
    words.replaceChildren(
      "paragraphs" in answer
        ? element("blockquote", {}, answer.paragraphs.map((text) => element("p", {}, [text])))
        : element("p", { class: "fault" }, [answer.refused]),
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
  if (await session.logIn()) show(await session.renew());
}

/** Whoever sits at another tab of this browser finds nobody's lessons open there either. */
const tabs = new BroadcastChannel("courses");

async function logOut(): Promise<void> {
  tabs.postMessage(shown?.name);
  shown = null;
  await session.logOut();
  show(null);
}

tabs.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
  if (shown?.name === data) void session.forget().then(() => show(null, "You logged out in another tab."));
});

/**
 * A purchase gives its role within seconds, a refund takes it: the page follows without a new login. While nobody sees
 * it, it asks only as often as the login needs to last.
 */
async function lookAgain(): Promise<void> {
  const before = shown;
  if (before === null || (document.hidden && Date.now() - lookedAt < session.unseenMs())) return;
  lookedAt = Date.now();
  // What fails, as without a network, says nothing of the login.
  const now = await session.renew().catch(() => before);
  // Somebody logged out, or in, meanwhile.
  if (shown !== before) return;
  const key = (account: Account) => JSON.stringify({ ...account, roles: [...account.roles] });
  if (now === null) show(now, "Your login has expired: log in again.");
  else if (key(now) !== key(before)) show(now);
  else if (now.pending) setTimeout(() => void lookAgain(), SOON_MS);
}

async function begin(): Promise<void> {
  await session.begin().then((account) => show(account), () => show(null, "That login didn't work. Log in again."));
}

await begin();
setInterval(() => void lookAgain(), LOOK_AGAIN_MS);
document.addEventListener("visibilitychange", () => void lookAgain());
// Stepped back to, a page shows what it showed then.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) void begin();
});
