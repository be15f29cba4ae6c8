/** How the pages of `npm start` look: plain HTML, forms, and no more script than the live list needs. */

const STYLE = `
:root { color-scheme: light dark; background: Canvas; color: CanvasText; font: 16px/1.5 system-ui, sans-serif;
  --line: #767680; --brand: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --brand: #a8c7fa; } }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; }
nav { display: flex; flex-wrap: wrap; gap: 1rem; margin-bottom: 1rem; }
a { color: var(--brand); }
section { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
section h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
.grid { display: grid; gap: 1rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fill, minmax(min(16rem, 100%), 1fr)); }
form { display: grid; gap: .5rem; }
section form + form { margin-top: .5rem; }
td form, .inline, .inline form { display: inline-flex; flex-wrap: wrap; gap: .25rem; }
label { display: grid; }
input, select { font: inherit; padding: .35rem; min-width: 0; border: 1px solid var(--line);
  border-radius: .375rem; }
button { font: inherit; padding: .35rem .7rem;
  border: 1px solid var(--brand); border-radius: .375rem; background: none;
  color: inherit; cursor: pointer; }
button:disabled { border: 1px dashed var(--line); color: var(--line); cursor: not-allowed; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: break-word; max-width: 20rem; }
@media (max-width: 48rem) {
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tr, td { display: block; max-width: none; overflow-wrap: anywhere; }
  td { border: 0; padding: .1rem 0; }
  tr { border-bottom: 1px solid var(--line); padding: .35rem 0; }
}
.fault { border-left: 4px solid #b3261e; padding: .25rem .75rem; }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
`;

/** Text as HTML shows it. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => `&#${String(character.codePointAt(0))};`);
}

/**
 * A whole page. `body` is HTML; `inbox` is where the emulated Auth0 shows its mails. Null: the page leads to all
 * the others.
 */
export function page(title: string, body: string, inbox: string | null, script = ""): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body>${inbox === null ? "" : navigation(inbox)}<main><h1>${escaped(title)}</h1>${body}</main>${script}</body>
</html>`;
}

function navigation(inbox: string): string {
  return `<nav aria-label="Pages"><a href="/">Start</a> <a href="/shop">Shop</a> <a href="/courses/">Courses</a>
<a href="${escaped(inbox)}">Inbox</a> <a href="/activity">Activity</a></nav>`;
}

/** A moment as people read it, in UTC. */
export function moment(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}
