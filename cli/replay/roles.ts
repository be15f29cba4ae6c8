import * as z from "zod";

import { auth0Directory, type Directory } from "../../src/auth0/directory.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import { ConfigError } from "../../src/errors.ts";

/** An Auth0 user with a buyer's email. */
export interface BuyerUser {
  readonly id: string;
  readonly verified: boolean;
  readonly roles: readonly string[];
}

/** A buyer and every Auth0 user with the email. */
export interface BuyerRoles {
  readonly buyer: string;
  readonly users: readonly BuyerUser[];
}

/** Reads who has which roles. */
export interface RoleReader {
  roles(buyers: readonly string[]): Promise<BuyerRoles[]>;
  /** Management calls since the emulator's start; null for a real tenant. */
  managementCalls(): Promise<number | null>;
}

const emulatedUsers = z.array(
  z.object({ user_id: z.string(), email: z.string().optional(), email_verified: z.boolean(),
    roles: z.array(z.string()) }),
);
const emulatedCalls = z.object({ management: z.number() });
const READ_LIMIT_MS = 30_000;

/** Reads the emulator's own view, which makes no Management call: reading must not change what is counted. */
export function emulatorRoles(url: string): RoleReader {
  const read = async (what: string): Promise<unknown> => {
    const answer = await fetch(`${url}/_emulator/${what}`).catch((error: unknown) => {
      throw new ConfigError("REPLAY_AUTH0", `no Auth0 emulator answers at ${url}`, { cause: error });
    });
    return answer.json();
  };
  return { roles: async (buyers) => {
    const users = emulatedUsers.parse(await read("users"));
    return buyers.map((buyer) => ({ buyer, users: users
      .filter(({ email }) => email?.toLowerCase() === buyer)
      .map(({ user_id, email_verified, roles }) => ({ id: user_id, verified: email_verified, roles })) })
    );
  }, managementCalls: async () => emulatedCalls.parse(await read("calls")).management };
}

/**
 * Reads a tenant with the Management API, as the functions do.
 * @throws {ConfigError} REPLAY_SETTING if the settings name no tenant
 */
export function tenantRoles(
  secret: { readonly domain: string; readonly client_id: string; readonly client_secret: string },
): RoleReader {
  const credentials = auth0SecretShape.safeParse(secret);
  if (!credentials.success) {
    throw new ConfigError("REPLAY_SETTING",
      `${secret.domain} is no host name, https URL, or http URL of this machine`);
  }
  const value = async () => credentials.data;
  return directoryRoles(auth0Directory({ secret: { get: value, reread: value } }));
}

/** Reads a tenant through a directory of its users. */
export function directoryRoles(directory: Directory): RoleReader {
  return { roles: async (buyers) => {
    const found: BuyerRoles[] = [];
    // One after the other: a free tenant takes two calls a second.
    for (const buyer of buyers) {
      const signal = AbortSignal.timeout(READ_LIMIT_MS);
      const users: BuyerUser[] = [];
      for (const { id, verified } of await directory.find(buyer, buyer, signal)) {
        users.push({ id, verified, roles: await directory.rolesOf(id, signal) });
      }
      found.push({ buyer, users });
    }
    return found;
  }, managementCalls: async () => null };
}

/**
 * Reads again and again until nothing has changed for `calmMs`, at most `limitMs`: for a service whose queue can't be
 * seen.
 */
export async function settledRoles(reader: RoleReader, buyers: readonly string[], calmMs: number, limitMs: number,
  pollMs = 1_000): Promise<BuyerRoles[]> {
  const deadline = performance.now() + limitMs;
  let last = await reader.roles(buyers);
  let since = performance.now();
  while (performance.now() - since < calmMs && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    const next = await reader.roles(buyers);
    if (JSON.stringify(next) !== JSON.stringify(last)) since = performance.now();
    last = next;
  }
  return last;
}
