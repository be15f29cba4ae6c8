import type { IncomingMessage, ServerResponse } from "node:http";

import type { Policy } from "../../src/access/policy.ts";
import { readBody } from "../aws/loopback.ts";
import type { Pages, Stack } from "../stack.ts";
import { activityParts } from "./activity-page.ts";
import { coursesFiles } from "./courses.ts";
import { page } from "./layout.ts";
import { shopAct, shopPage } from "./shop-page.ts";

/** The largest form, in bytes. */
const LONGEST_FORM = 8_192;
/** How often the list of what happens is looked at again. */
const LOOK_AGAIN_MS = 2_000;
/** Looks at the list again, without a word to anybody but this server. */
const LIVE = `<script>
setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch("/activity/parts").catch(() => null);
  if (answer?.ok) document.getElementById("parts").innerHTML = await answer.text();
}, ${String(LOOK_AGAIN_MS)});
</script>`;
/** A double click sends its form once; a page that is stepped back to shows what is. */
const ONCE = `<script>
const sent = new Set();
addEventListener("submit", (event) => {
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
</script>`;

/**
 * The front page of `npm start`, and what it leads to: the shop, the courses, the inbox, what happens. Only pages of
 * this server may press its buttons: a foreign Host or Origin gets no answer.
 */
export function frontPages(stack: Stack, policy: Policy): Pages {
  const files = coursesFiles(stack);
  const inbox = `${stack.auth0.url}/_emulator/inbox`;
  let fault: string | null = null;

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<boolean> {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", stack.url);
    const html = (title: string, body: string, script = "") =>
      send(outgoing, "text/html", page(title, body, inbox, script));
    if (incoming.method === "POST" && pathname.startsWith("/shop/")) {
      if (!isOurs(incoming, stack)) return refuse(outgoing);
      const body = await readBody(incoming, LONGEST_FORM);
      fault = await shopAct(stack.gumroad, pathname.slice("/shop/".length),
        new URLSearchParams(body?.toString() ?? ""));
      outgoing.writeHead(303, { location: "/shop" }).end();
      return true;
    }
    if (incoming.method !== "GET") return false;
    const file = pathname.startsWith("/courses/") ? await files(pathname.slice("/courses/".length)) : null;
    const isPage = file !== null || ["/", "/shop", "/courses", "/activity", "/activity/parts"].includes(pathname);
    if (!isPage) return false;
    if (!isOurHost(incoming, stack)) return refuse(outgoing);
    if (incoming.headers.host !== new URL(stack.url).host) {
      // Auth0 leads back to one address only, and its session is kept from a page under another name.
      outgoing.writeHead(302, { location: `${stack.url}${incoming.url ?? "/"}` }).end();
      return true;
    }
    if (file !== null) return send(outgoing, file.type, file.body, "");
    switch (pathname) {
      case "/courses":
        outgoing.writeHead(302, { location: "/courses/" }).end();
        return true;
      case "/shop": {
        const shown = shopPage(stack.gumroad, searchParams.get("product") ?? "", fault);
        fault = null;
        return html("Shop", shown, ONCE);
      }
      case "/activity":
        return html("Activity", `<div id="parts">${await activityParts(stack, policy)}</div>`, LIVE);
      case "/activity/parts":
        return send(outgoing, "text/html", await activityParts(stack, policy));
      default:
        return send(outgoing, "text/html", page("gumroad-auth0, on this machine", start(inbox), null));
    }
  }
  return answer;
}

function start(inbox: string): string {
  return `<p>The whole loop: buy, log in, the lesson opens; refund, it closes.</p>
<div class="grid">
<section><h2><a href="/shop">Shop</a></h2>
<p>Buy something as somebody, give it away, refund it, move time.</p></section>
<section><h2><a href="/courses/">Courses</a></h2>
<p>What a buyer sees: log in, and the lessons that were paid for open.</p></section>
<section><h2><a href="${inbox}">Inbox</a></h2>
<p>Every mail that Auth0 would have sent. The links work.</p></section>
<section><h2><a href="/activity">Activity</a></h2>
<p>Pings as they arrive, who has what and why, who waits.</p></section>
</div>`;
}

/** A page elsewhere could have its reader send a form here, and a name of its own could be made to lead here. */
function isOurs(incoming: IncomingMessage, stack: Stack): boolean {
  const { origin } = incoming.headers;
  return isOurHost(incoming, stack) && origin !== undefined && URL.canParse(origin) &&
    hostsOf(stack).includes(new URL(origin).host);
}

function isOurHost({ headers }: IncomingMessage, stack: Stack): boolean {
  return hostsOf(stack).includes(headers.host ?? "");
}

function hostsOf({ url }: Stack): readonly string[] {
  const { port } = new URL(url);
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}

function refuse(outgoing: ServerResponse): boolean {
  outgoing.writeHead(403, { "content-type": "text/plain" }).end("Only this server's own pages may ask for that.");
  return true;
}

/** Nothing of these pages is framed, or runs what isn't theirs. */
const POLICY =
  "default-src 'self' http://127.0.0.1:*; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; " +
  "base-uri 'none'; frame-ancestors 'none'";

function send(outgoing: ServerResponse, type: string, body: string, policy = POLICY): boolean {
  outgoing.writeHead(200, { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store",
    ...(policy === "" ? {} : { "content-security-policy": policy }) }).end(body);
  return true;
}
