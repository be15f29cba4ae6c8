/** One POST of a ping. */
export interface Post {
  readonly url: string;
  /** `application/x-www-form-urlencoded`, or JSON for zapier.com. */
  readonly contentType: string;
  readonly body: string;
}

/** The status answered, or that no answer came in time. */
export type PostOutcome = number | "unreachable";

/** Delivers a ping. Undefined counts as 200. */
export type Deliver = (post: Post) => PostOutcome | undefined | Promise<PostOutcome | undefined>;

const MOST_REDIRECTS = 3;

/** Posts over HTTP as Gumroad does: at most 3 redirects, with the same body; userinfo of the URL as Basic auth. */
export function deliverByHttp(timeoutMs: number): Deliver {
  return async (post) => {
    try {
      return await postTo(post.url, post, AbortSignal.timeout(timeoutMs), MOST_REDIRECTS);
    } catch {
      // Whatever broke, Gumroad sees only that no answer came.
      return "unreachable";
    }
  };
}

async function postTo(address: string, post: Post, signal: AbortSignal, redirects: number): Promise<number> {
  const url = new URL(address);
  const headers: Record<string, string> = { "content-type": post.contentType };
  if (url.username !== "" || url.password !== "") {
    const userinfo = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers["authorization"] = `Basic ${Buffer.from(userinfo).toString("base64")}`;
  }
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  const response = await fetch(bare, { method: "POST", headers, body: post.body, redirect: "manual", signal });
  await response.body?.cancel();
  const location = response.headers.get("location");
  if (response.status < 300 || response.status > 399 || location === null || redirects === 0) return response.status;
  return postTo(new URL(location, url).href, post, signal, redirects - 1);
}
