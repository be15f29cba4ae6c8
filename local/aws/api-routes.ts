/** A route that matches a request. */
export interface RouteMatch<T> {
  readonly routeKey: string;
  readonly target: T;
  /** Undefined where the route has no parameters: API Gateway then leaves the field out. */
  readonly pathParameters: Record<string, string> | undefined;
}

interface Route<T> {
  readonly routeKey: string;
  readonly method: string;
  readonly segments: readonly string[];
  readonly target: T;
}

/** Finds the route of a method and a decoded path. */
export type RouteTable<T> = (method: string, path: string) => RouteMatch<T> | undefined;

const DEFAULT_ROUTE = "$default";

/**
 * Matches as an HTTP API does: the most specific path wins (fixed segments before `{one}` before `{rest+}`), then the
 * method itself before ANY, then `$default`. A parameter is never empty, and `/a` is not `/a/`.
 */
export function routeTable<T>(routes: Iterable<readonly [routeKey: string, target: T]>): RouteTable<T> {
  const table: Route<T>[] = [];
  let fallback: T | undefined;
  for (const [routeKey, target] of routes) {
    const [method = "", path = ""] = routeKey.split(" ");
    if (routeKey === DEFAULT_ROUTE) fallback = target;
    else table.push({ routeKey, method, segments: path.split("/"), target });
  }
  table.sort((a, b) => rank(a).localeCompare(rank(b)));
  return (method, path) => {
    const segments = path.split("/");
    for (const route of table) {
      if (route.method !== method && route.method !== "ANY") continue;
      const parameters = matchSegments(route.segments, segments);
      if (parameters === undefined) continue;
      const pathParameters = Object.keys(parameters).length === 0 ? undefined : parameters;
      return { routeKey: route.routeKey, target: route.target, pathParameters };
    }
    return fallback === undefined
      ? undefined
      : { routeKey: DEFAULT_ROUTE, target: fallback, pathParameters: undefined };
  };
}

/** Sorts by specificity: 0 fixed, 1 parameter, 2 greedy for each segment, then the method. */
function rank(route: Route<unknown>): string {
  const kinds = route.segments.map((segment) => (!segment.startsWith("{") ? "0" : segment.endsWith("+}") ? "2" : "1"));
  return `${kinds.join("")}${route.method === "ANY" ? "1" : "0"}`;
}

function matchSegments(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, segment] of pattern.entries()) {
    const name = /^\{([^}+]+)(\+?)\}$/.exec(segment);
    const value = name?.[2] === "+" ? path.slice(index).join("/") : path[index];
    if (name?.[1] === undefined) {
      if (value !== segment) return undefined;
      continue;
    }
    if (value === undefined || value === "") return undefined;
    parameters[name[1]] = value;
    if (name[2] === "+") return parameters;
  }
  return pattern.length === path.length ? parameters : undefined;
}
