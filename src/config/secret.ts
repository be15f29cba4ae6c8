import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type * as z from "zod/mini";

import { NeedsPersonError, TemporaryError } from "../errors.ts";
import { jsonIn } from "../json.ts";
import { causesOf, log } from "../log.ts";
import { count } from "../metrics.ts";

/** How long a cached secret is trusted. Bounds how long a token that was taken out of the secret still works. */
const MAX_AGE_MS = 5 * 60_000;

/** How long the last good value serves while the secret can't be read again, or was broken by an edit. */
const LONGEST_FALLBACK_MS = 60 * 60_000;

/** How often a refused, missing or broken secret may be read again: a stranger's requests must not cost us calls. */
const REREAD_MS = 10_000;

/** A secret of one concern, read once and kept for the process. */
export type Secret<T> = ReturnType<typeof secretOf<T>>;

/**
 * A secret holding JSON of the given shape; `id` is its name or ARN. Callers at the same time share one reading. Both
 * methods throw TemporaryError SECRET_UNREACHABLE, and NeedsPersonError SECRET_MISSING, SECRET_FORBIDDEN or
 * SECRET_INVALID, which name the secret and what to put there.
 */
export function secretOf<T>(
  { client, id, shape, now = Date.now }: { readonly client: SecretsManagerClient; readonly id: string;
    readonly shape: z.ZodMiniType<T>; readonly now?: () => number },
) {
  /** `readAt`: when to begin counting the age; `goodAt`: when the value was really read. */
  let known: { readonly value: T; readonly readAt: number; readonly goodAt: number } | undefined;
  let wrong: { readonly error: NeedsPersonError; readonly readAt: number } | undefined;
  let reading: Promise<T> | undefined;

  async function read(signal: AbortSignal | undefined): Promise<T> {
    try {
      const value = await readSecret(client, id, shape, signal);
      known = { value, readAt: now(), goodAt: now() };
      wrong = undefined;
      return value;
    } catch (error) {
      if (error instanceof NeedsPersonError) wrong = { error, readAt: now() };
      // Whoever deletes a secret wants it to be good for nothing.
      if (wrong?.error.code === "SECRET_MISSING") known = undefined;
      throw error;
    }
  }

  async function freshest(maxAge: number, signal: AbortSignal | undefined): Promise<T> {
    if (known !== undefined && now() - known.readAt < maxAge) return known.value;
    if (wrong !== undefined && now() - wrong.readAt < REREAD_MS) throw wrong.error;
    reading ??= read(signal).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    /** The cached value; read from Secrets Manager at first, and every five minutes. */
    get: async (signal?: AbortSignal): Promise<T> => {
      try {
        return await freshest(MAX_AGE_MS, signal);
      } catch (error) {
        const last = known;
        // What worked a moment ago is better than refusing buyers. Not every call waits for the next attempt.
        if (last === undefined || now() - last.goodAt >= LONGEST_FALLBACK_MS) throw error;
        if (error instanceof NeedsPersonError) count("NeedsPerson");
        known = { ...last, readAt: now() - MAX_AGE_MS + REREAD_MS };
        log.error("a secret can't be read again; going on with the last good value", { causes: causesOf(error) });
        return last.value;
      }
    },
    /** As `get`, but reads again after ten seconds and has no fallback: for whoever just saw the value refused. */
    reread: (signal?: AbortSignal): Promise<T> => freshest(REREAD_MS, signal),
  };
}

/** Reads a secret that may be left without a value: null then. A broken value is not the same, and throws. */
export function optionalSecret<T>(secret: Pick<Secret<T>, "get">): (signal?: AbortSignal) => Promise<T | null> {
  return async (signal) =>
    secret.get(signal).catch((error: unknown) => {
      if (error instanceof NeedsPersonError && error.code === "SECRET_MISSING") return null;
      throw error;
    });
}

async function readSecret<T>(client: SecretsManagerClient, id: string, shape: z.ZodMiniType<T>,
  abortSignal: AbortSignal | undefined): Promise<T> {
  const command = new GetSecretValueCommand({ SecretId: id });
  const answer = await client.send(command, abortSignal === undefined ? {} : { abortSignal })
    .catch((error: unknown) => {
      throw unreadable(nameOf(id), error);
    });
  const json = jsonIn(answer.SecretString ?? "");
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  const keys = new Set(parsed.error.issues.map((issue) => issue.path.join(".")).filter((key) => key !== ""));
  const wrong = json === undefined
    ? "is not JSON"
    : `has a missing or wrong value for: ${[...keys].join(", ") || "the whole"}`;
  throw new NeedsPersonError("SECRET_INVALID",
    `The secret ${nameOf(id)} ${wrong}. See docs/settings.md for its keys.`);
}

function unreadable(name: string, cause: unknown): Error {
  switch (cause instanceof Error ? cause.name : "") {
    case "ResourceNotFoundException":
    // While a deleted secret waits out its recovery window.
    case "InvalidRequestException":
      return new NeedsPersonError("SECRET_MISSING",
        `The secret ${name} has no value yet: put it as docs/settings.md shows.`, { cause });
    case "AccessDeniedException":
      return new NeedsPersonError("SECRET_FORBIDDEN",
        `This function may not read the secret ${name}: check its role in serverless.yml.`, { cause });
    default:
      return new TemporaryError("SECRET_UNREACHABLE", `The secret ${name} could not be read.`, { cause });
  }
}

/** The secret's name from its ARN, which ends in `:secret:NAME-6random`. */
function nameOf(id: string): string {
  return id.replace(/^arn:.*:secret:(.+)-[A-Za-z0-9]{6}$/, "$1");
}
