import type { Policy } from "../../src/access/policy.ts";
import type { Directory } from "../../src/auth0/directory.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Queue } from "../../src/queue/queue.ts";
import type { Stage } from "../stage/stage.ts";

/** How far an operation is: so many of what it counts ("buyers") are done. `total` is null where nobody knows. */
export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly total: number | null;
}

/**
 * What an operation works with: a stage, and what is opened of it. An operation takes this and a request, tells its
 * progress, and returns what came of it. It prints nothing and asks nobody, so that a command, a page and a test can
 * all be on its other side; `operate` makes one for a command.
 */
export interface Operating {
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly queue: Queue;
  /** The policy of src/products.ts. Throws ConfigError POLICY_INVALID. */
  readonly policy: () => Promise<Policy>;
  /** The tenant's users and roles, opened once. Throws what keeps Auth0 from being asked, such as AUTH0_SECRET. */
  readonly directory: () => Promise<Directory>;
  /** The stage's time (epoch ms). */
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** What somebody would do next, for an error that says so: of a command its whole line. */
  readonly commandLine: (command: string) => string;
  /** Null: what was told last is over, and something else will be told. */
  readonly tell: (progress: Progress | null) => void;
}

/** The limit (ms) of one call to Auth0. */
export const CALL_MS = 30_000;

/** What is made at the first call, and given again at each other. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** A product as people call it. */
export interface NamedProduct {
  readonly id: string;
  readonly name: string;
}

/** A product by its id or its name. One that the policy dropped, or never had, is known by its id only. */
export function productNamed(typed: string, policy: Policy): NamedProduct {
  const named = typed.trim();
  const products = [...policy.values()];
  const found = products.find(({ id }) => id === named) ??
    products.find(({ name }) => name.toLowerCase() === named.toLowerCase());
  return found === undefined ? { id: named, name: `product ${named}` } : { id: found.id, name: found.name };
}
