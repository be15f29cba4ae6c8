import type { Stage } from "../stage/stage.ts";

/** The URL that Gumroad posts to. */
export function pingUrl({ pingAddress }: Pick<Stage, "pingAddress">, token: string): string {
  return `${pingAddress}/${encodeURIComponent(token)}`;
}

/**
 * The token in a URL of this stage's: in its path, or as Basic auth (`https://gumroad:TOKEN@…/ping`). Null for any
 * other URL, which is somebody else's: another tool's, or another stage's of the same shop.
 */
export function tokenIn({ pingAddress }: Pick<Stage, "pingAddress">, postUrl: string): string | null {
  if (!URL.canParse(postUrl)) return null;
  const url = new URL(postUrl);
  const ours = new URL(pingAddress);
  if (url.host !== ours.host) return null;
  if (url.pathname === ours.pathname) return decodeURIComponent(url.password || url.username);
  if (!url.pathname.startsWith(`${ours.pathname}/`)) return null;
  try {
    return decodeURIComponent(url.pathname.slice(ours.pathname.length + 1));
  } catch {
    return "";
  }
}

/** A URL without its token, to be shown: the token is a secret. */
export function withoutToken(postUrl: string): string {
  if (!URL.canParse(postUrl)) return "no URL";
  const url = new URL(postUrl);
  return `${url.origin}${url.pathname.replace(/(\/ping\/).+/, "$1…")}`;
}
