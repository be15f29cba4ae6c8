/** The pages of the login: plain HTML, one form each, no script. What they show of anybody's is escaped. */

const STYLE = `
:root { color-scheme: light dark; background: Canvas; color: CanvasText; font: 16px/1.5 system-ui, sans-serif;
  --line: #767680; --brand: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --brand: #a8c7fa; } }
body { margin: 0; display: grid; justify-items: center; padding: 2rem 1rem; }
main { width: min(24rem, 100%); }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
form { display: grid; gap: .75rem; margin: 1rem 0; }
label { display: grid; gap: .25rem; }
label.check { grid-template-columns: auto 1fr; align-items: center; }
input:not([type=checkbox]) { font: inherit; padding: .5rem; border: 1px solid var(--line); border-radius: .375rem; }
button { font: inherit; padding: .6rem; border: 1px solid var(--brand); border-radius: .375rem; cursor: pointer;
  background: none; color: inherit; }
button.first { background: var(--brand); color: Canvas; }
a { color: var(--brand); }
.fault { border-left: 4px solid #b3261e; padding: .25rem .75rem; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0;
  overflow-wrap: anywhere; }
article h2 { font-size: 1.1rem; margin: 0; }
.wide { width: min(42rem, 100%); }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
`;

/** Text as HTML shows it. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => `&#${String(character.codePointAt(0))};`);
}

/** A whole page. `body` is HTML. */
export function page(title: string, body: string, width: "narrow" | "wide" = "narrow"): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main${width === "wide" ? ' class="wide"' : ""}><h1>${escaped(title)}</h1>${body}</main></body>
</html>`;
}

/** What went wrong, above a form. */
function faultOf(fault: string | null): string {
  return fault === null ? "" : `<p class="fault" role="alert">${escaped(fault)}</p>`;
}

function emailField(email: string): string {
  return `<label>Email<input type="email" name="email" autocomplete="username" required maxlength="254" value="${
    escaped(email)
  }"></label>`;
}

function passwordField(autocomplete: "current-password" | "new-password"): string {
  return `<label>Password<input type="password" name="password" autocomplete="${autocomplete}" required ` +
    `maxlength="128">` +
    "</label>";
}

const STRENGTH = "<p>At least 8 characters, of three kinds: lower case, upper case, digits, others.</p>";

/** Where the forms of one login post to, what was typed so far, and what was wrong with it. */
export interface LoginView {
  /** `/u/ID`. */
  readonly base: string;
  readonly application: string;
  readonly email: string;
  readonly fault: string | null;
}

/** The first page: a password, or another way. Signing up takes what was typed already, or asks for it. */
export function loginPage({ base, application, email, fault }: LoginView): string {
  return page("Log in", `<p>to continue to ${escaped(application)}</p>${faultOf(fault)}
<form method="post" action="${base}/login">${emailField(email)}${passwordField("current-password")}
<button class="first">Continue</button><button formaction="${base}/sign-up" formnovalidate>Sign up</button></form>
<form method="get" action="${base}/google"><button>Continue with Google</button></form>
<form method="get" action="${base}/code"><button>Email me a code</button></form>
<p><a href="${base}/forgotten">Forgot password?</a></p>`);
}

/** For somebody new. */
export function signUpPage({ base, application, email, fault }: LoginView): string {
  return page("Sign up", `<p>to continue to ${escaped(application)}</p>${faultOf(fault)}
<form method="post" action="${base}/sign-up">${emailField(email)}${passwordField("new-password")}${STRENGTH}
<button class="first">Sign up</button></form>
<p><a href="${base}">Log in</a></p>`);
}

/** Google's side of it: whoever one likes to be. */
export function googlePage({ base, email, fault }: LoginView): string {
  return page("Continue with Google", `<p>This is a stand-in: be anybody.</p>${faultOf(fault)}
<form method="post" action="${base}/google">${emailField(email)}
<label class="check"><input type="checkbox" name="verified" value="yes" checked> Google verified this address</label>
<button class="first">Continue</button></form>
<p><a href="${base}">Another way</a></p>`);
}

/** Asks for the address to which a code is mailed. */
export function codePage({ base, email, fault }: LoginView): string {
  return page("Log in with a code", `${faultOf(fault)}
<form method="post" action="${base}/code">${emailField(email)}<button class="first">Continue</button></form>
<p><a href="${base}">Another way</a></p>`);
}

/** Asks for the code that was mailed. */
export function enterCodePage({ base, email, fault }: LoginView): string {
  return page("Enter the code", `<p>It was mailed to ${escaped(email)}.</p>${faultOf(fault)}
<form method="post" action="${base}/enter-code"><input type="hidden" name="email" value="${escaped(email)}">
<label>Code<input name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="6"></label>
<button class="first">Continue</button></form>
<p><a href="${base}/code">Mail another</a></p>`);
}

/** Asks whose password was forgotten. */
export function forgottenPage({ base, email, fault }: LoginView): string {
  return page("Forgot your password?", `${faultOf(fault)}
<form method="post" action="${base}/forgotten">${emailField(email)}<button class="first">Continue</button></form>
<p><a href="${base}">Log in</a></p>`);
}

/** Where the link in a mail for a password leads. */
export function choosePasswordPage(ticket: string, email: string, fault: string | null): string {
  return page("Choose a password", `<p>for ${escaped(email)}</p>${faultOf(fault)}
<form method="post" action="/lo/reset"><input type="hidden" name="ticket" value="${escaped(ticket)}">
<input type="hidden" name="email" autocomplete="username" value="${escaped(email)}">
${passwordField("new-password")}${STRENGTH}
<button class="first">Continue</button></form>`);
}

/** What came of something, and where to go on. */
export function donePage(title: string, text: string,
  next: { readonly url: string; readonly name: string } | null): string {
  const link = next === null ? "" : `<p><a href="${escaped(next.url)}">Go on to ${escaped(next.name)}</a></p>`;
  return page(title, `<p>${escaped(text)}</p>${link}`);
}

/** What the provider refuses outright: an unknown application, a callback that isn't its own. */
export function errorPage(error: string, description: string): string {
  return page("Oops, something went wrong",
    `<p class="fault" role="alert">${escaped(error)}: ${escaped(description)}</p>`);
}

/** A mail, as the inbox shows it. */
export interface ShownMail {
  readonly to: string;
  readonly at: number;
  readonly subject: string;
  readonly text: string;
  /** Named by its purpose; null where the mail has none. */
  readonly link: { readonly url: string; readonly name: string } | null;
}

/** All mails, the newest first. */
export function inboxPage(mails: readonly ShownMail[]): string {
  const articles = mails.map(({ to, at, subject, text, link }) =>
    `<article><h2>${escaped(subject)}</h2><p>To ${escaped(to)}, ${
      new Date(at).toISOString().slice(0, 16).replace("T", " ")
    } UTC</p><p>${escaped(text)}</p>${
      link === null ? "" : `<p><a href="${escaped(link.url)}">${escaped(link.name)}</a></p>`
    }</article>`
  );
  return page("Inbox", articles.length === 0 ? "<p>No mail yet.</p>" : articles.join("\n"), "wide");
}
