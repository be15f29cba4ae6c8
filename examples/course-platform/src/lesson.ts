import { textIn, textsIn } from "./answer.ts";

/** What the service answers for a lesson: its paragraphs, or why there are none. */
export type Lesson = { readonly paragraphs: readonly string[] } | { readonly refused: string };

/** Neither Auth0 nor the API says anything. */
export const unreachable: Lesson = { refused: "The lesson can't be reached. Try again in a minute." };

/** Asks the API, which checks the token: what a page hides, anybody can show. */
export async function lesson(api: string, role: string, token: string): Promise<Lesson> {
  const answer = await fetch(`${api}/private/${encodeURIComponent(role)}`, {
    headers: { authorization: `Bearer ${token}` },
  }).catch(() => null);
  if (answer === null) return unreachable;
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok) return { paragraphs: [textIn(body, "message") ?? "", ...textsIn(body, "lesson")] };
  if (answer.status === 403) return { refused: "Your account doesn't have this course (any more)." };
  return { refused: answer.status === 401 ? "Log in again." : "Something went wrong. Try again in a minute." };
}
