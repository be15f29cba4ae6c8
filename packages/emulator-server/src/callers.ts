import type { IncomingHttpHeaders } from "node:http";

const THIS_MACHINE = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Whether a request was sent to this machine by a name of its own. Under any other name it comes from a page whose
 * owner made that name lead here (DNS rebinding), so that the browser takes the page and this server for one.
 */
export function namesThisMachine({ host }: IncomingHttpHeaders): boolean {
  const address = `http://${host ?? ""}`;
  return URL.canParse(address) && THIS_MACHINE.has(new URL(address).hostname);
}

/**
 * Whether a request comes from a program, or from a page of this very server. A browser names a page's origin, and
 * where it doesn't, for a picture or a script, how far away the page is. A link may lead here from anywhere: the page
 * that it leads away from can't read the answer.
 */
export function isOwnCaller(headers: IncomingHttpHeaders): boolean {
  const { host = "", origin, "sec-fetch-site": site = "none", "sec-fetch-dest": goal } = headers;
  const isNear = ["same-origin", "none"].includes(site) || goal === "document";
  return namesThisMachine(headers) && isNear && (origin === undefined || origin === `http://${host}`);
}
