import type { RawRequest } from "emulator-server/json-server";
import type { Answer } from "emulator-server/refused-call";
import type { Contract, Operation } from "./contract.ts";
import { fieldsOf, parseBody } from "./request-body.ts";
import type { ManagementOperation } from "./operation.ts";
import type { CallKind, RateLimiter } from "./rate-limit.ts";
import { errorBody, Refusal } from "./refusal.ts";
import type { Tokens } from "./tokens.ts";

/** What the Management API is made of. */
export interface ManagementApiParts {
  readonly contract: Contract;
  readonly operations: Readonly<Record<string, ManagementOperation>>;
  readonly tokens: Tokens;
  readonly limiter: RateLimiter;
  /** Told what the emulator itself did wrong. */
  readonly onFailure: (message: string) => void;
}

/** The Management API below `/api/v2`: token, rate limit, scopes, description, operation, in this order. */
export class ManagementApi {
  readonly #parts: ManagementApiParts;

  constructor(parts: ManagementApiParts) {
    this.#parts = parts;
  }

  /** Answers one request, whose path is given without `/api/v2`. Rate-limit headers are on every answer. */
  answer(request: RawRequest): Answer {
    const { contract, tokens, limiter } = this.#parts;
    const kind = kindOf(request.method);
    let headers = limiter.headers(kind);
    const operation = contract.match(request.method, request.path);
    const respond = (): Answer => {
      if (operation === undefined) throw new Refusal(404, "Not Found");
      requireDecodable(request.path);
      const granted = tokens.scopesOf(request.headers["authorization"]);
      const ruling = limiter.take(kind);
      headers = { ...ruling.headers };
      if (!ruling.allowed) throw new Refusal(429, "Global limit has been reached", "too_many_requests");
      return this.#run(operation, granted, request);
    };
    const answer = this.#answerOrRefusal(respond);
    return { ...this.#checked(operation, answer), headers };
  }

  /** The rate-limit headers as they stand: for answers that are injected. */
  headers(method: string): Record<string, string> {
    return this.#parts.limiter.headers(kindOf(method));
  }

  #run(operation: Operation, granted: readonly string[], request: RawRequest): Answer {
    const { contract, operations } = this.#parts;
    const offered = operations[operation.id];
    if (offered === undefined) throw new Refusal(501, `The emulator does not offer ${operation.id}.`);
    if (!offered.scopes.every((scope) => granted.includes(scope))) {
      throw new Refusal(403, `Insufficient scope, expected any of: ${offered.scopes.join(",")}`, "insufficient_scope");
    }
    return offered.run(
      contract.check(operation, { ...request, query: fieldsOf(request.query), body: parseBody(request) }),
    );
  }

  #answerOrRefusal(respond: () => Answer): Answer {
    try {
      return respond();
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      const message = `The emulator failed: ${error instanceof Error ? error.message : String(error)}`;
      this.#parts.onFailure(message);
      return { status: 500, body: errorBody(500, message) };
    }
  }

  /** An answer that Auth0's description doesn't allow becomes a 500: better a failing test than a wrong lesson. */
  #checked(operation: Operation | undefined, answer: Answer): Answer {
    if (operation === undefined || OUTSIDE_THE_DESCRIPTION.has(answer.status)) return answer;
    const breach = this.#parts.contract.breach(operation, answer.status, answer.body);
    if (breach === undefined) return answer;
    const message = `The emulator's own answer breaks Auth0's description: ${breach}`;
    this.#parts.onFailure(message);
    return { status: 500, body: errorBody(500, message) };
  }
}

/** What is answered before, or instead of, an operation of Auth0. */
const OUTSIDE_THE_DESCRIPTION = new Set([415, 500, 501]);

function kindOf(method: string): CallKind {
  return method === "GET" ? "read" : "write";
}

function requireDecodable(path: string): void {
  try {
    decodeURIComponent(path);
  } catch (error) {
    throw new Refusal(400, "Path validation error: 'The path is not well encoded'.", "invalid_uri", { cause: error });
  }
}
