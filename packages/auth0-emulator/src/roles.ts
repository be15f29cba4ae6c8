import { createHash } from "node:crypto";

import { Refusal } from "./refusal.ts";

/** A role as the Management API shows one. */
export interface Role {
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

/** What is kept of roles: by id, who has which, and how often one of a name was deleted. */
export interface RolesState {
  readonly roles: ReadonlyMap<string, Role>;
  readonly held: ReadonlyMap<string, Set<string>>;
  readonly deletions: ReadonlyMap<string, number>;
}

/** How many roles Auth0 lets one user have. */
const MOST_ROLES_PER_USER = 50;

/** The roles of the tenant and who has them. It knows user ids, not users. */
export class Roles {
  readonly #roles = new Map<string, Role>();
  readonly #held = new Map<string, Set<string>>();
  readonly #deletions = new Map<string, number>();

  constructor(names: readonly string[]) {
    for (const name of names) this.create(name);
  }

  /** All that is kept. */
  state(): RolesState {
    return { roles: this.#roles, held: this.#held, deletions: this.#deletions };
  }

  /** Adds what another tenant kept. */
  restore({ roles, held, deletions }: RolesState): void {
    for (const [id, role] of roles) {
      // A role that is here from the start, and was deleted and made again there, had another id.
      const here = this.byName(role.name);
      if (here !== undefined) this.#roles.delete(here.id);
      this.#roles.set(id, role);
    }
    for (const [userId, ids] of held) this.#held.set(userId, ids);
    for (const [name, count] of deletions) this.#deletions.set(name, count);
  }

  /** All roles, by name. */
  all(): Role[] {
    return [...this.#roles.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The role of that name, if there is one. */
  byName(name: string): Role | undefined {
    return this.all().find((role) => role.name === name);
  }

  /** Adds a role. Throws 409 when the name is taken. */
  create(name: string, description = ""): Role {
    if (this.byName(name) !== undefined) {
      throw new Refusal(409, `A role with the name '${name}' already exists.`, "role_conflict");
    }
    const role = { id: roleId(name, this.#deletions.get(name) ?? 0), name, description };
    this.#roles.set(role.id, role);
    return role;
  }

  /** Changes a role. Throws 404. */
  change(id: string, change: { readonly name?: string | undefined; readonly description?: string | undefined }): Role {
    this.#requireRoles([id]);
    const { name = "", description = "" } = this.#roles.get(id) ?? {};
    const role = { id, name: change.name ?? name, description: change.description ?? description };
    this.#roles.set(id, role);
    return role;
  }

  /** Removes a role, and takes it from everybody. */
  delete(id: string): void {
    const name = this.#roles.get(id)?.name;
    if (name === undefined) return;
    this.#roles.delete(id);
    this.#deletions.set(name, (this.#deletions.get(name) ?? 0) + 1);
    for (const held of this.#held.values()) held.delete(id);
  }

  /** The roles a user has, by name. */
  of(userId: string): Role[] {
    const held = this.#held.get(userId);
    return this.all().filter((role) => held?.has(role.id) === true);
  }

  /** Gives roles; giving one twice is no error. All or nothing. Throws 404 for an unknown role, 400 above 50. */
  assign(userId: string, ids: readonly string[]): void {
    this.#requireRoles(ids);
    const held = new Set([...(this.#held.get(userId) ?? []), ...ids]);
    if (held.size > MOST_ROLES_PER_USER) {
      throw new Refusal(400, `A user can have at most ${String(MOST_ROLES_PER_USER)} roles.`, "too_many_roles");
    }
    this.#held.set(userId, held);
  }

  /** Takes roles; taking one that the user doesn't have is no error. Throws 404 for an unknown role. */
  remove(userId: string, ids: readonly string[]): void {
    this.#requireRoles(ids);
    for (const id of ids) this.#held.get(userId)?.delete(id);
  }

  /** Forgets what a deleted user had. */
  forgetUser(userId: string): void {
    this.#held.delete(userId);
  }

  #requireRoles(ids: readonly string[]): void {
    const unknown = ids.find((id) => !this.#roles.has(id));
    // Auth0 documents the 404, not its wording; what matters is that it isn't the one of an unknown user.
    if (unknown !== undefined) throw new Refusal(404, `The role does not exist: ${unknown}`, "inexistent_role");
  }
}

/**
 * Made from the name, so that a client which remembers ids is still right after the emulator is reset or restarted. A
 * role that was deleted and made again has another id, as with Auth0.
 */
function roleId(name: string, deletions: number): string {
  const digest = createHash("sha256").update(`${String(deletions)} ${name}`).digest("base64");
  return `rol_${digest.replaceAll(/[^A-Za-z0-9]/gu, "").slice(0, 16)}`;
}
