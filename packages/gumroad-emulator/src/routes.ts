import type { Answer } from "emulator-server/refused-call";
import type { AccessToken } from "./access-tokens.ts";

/** A call that has passed the door. */
export interface ApiCall {
  /** Query and body together. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What stands for `:id` in the path, decoded. */
  readonly id: string;
  /** The whole path, as in `/v2/sales`. */
  readonly path: string;
  /** Undefined only where none is needed. */
  readonly token: AccessToken | undefined;
}

/** An endpoint. */
export interface Route {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below `/v2`, with `:id`. */
  readonly path: string;
  /** Scope the token needs; `any` token; or `open` to everybody. */
  readonly scope: "view_sales" | "any" | "open";
  readonly answer: (call: ApiCall) => Answer;
}

/** The route of a method and a path below `/v2`, and what stands for `:id`. */
export function findRoute(routes: readonly Route[], method: string, path: string): { readonly route: Route;
  readonly id: string } | undefined {
  const parts = path.split("/");
  for (const route of routes) {
    const pattern = route.path.split("/");
    if (route.method !== method || pattern.length !== parts.length) continue;
    if (!pattern.every((part, place) => part === ":id" || part === parts[place])) continue;
    return { route, id: decoded(parts[pattern.indexOf(":id")] ?? "") };
  }
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
