import { randomInt } from "node:crypto";

import { Links } from "./links.ts";
import type { MailLink } from "./links.ts";
import { Refusal } from "./refusal.ts";
import type { CreateUser, PasswordMailRequest, PasswordTicket, UpdateUser } from "./requests.ts";
import { Roles } from "./roles.ts";
import type { RolesState } from "./roles.ts";
import type { Connection, Metadata, User } from "./user.ts";
import { Users } from "./users.ts";
import type { UsersState } from "./users.ts";

/** A verification mail that Auth0 would have sent. */
export interface VerificationMail {
  readonly to: string;
  readonly userId: string;
  /** Milliseconds. */
  readonly at: number;
  /** What made Auth0 send it. */
  readonly cause: "create" | "update" | "job";
}

/** A change-password mail that Auth0 would have sent. */
export interface PasswordMail {
  readonly to: string;
  readonly userId: string;
  /** Milliseconds. */
  readonly at: number;
  /** The application that the mail names, and leads to. */
  readonly clientId: string;
  /** Whether the tenant's template words it as a welcome. */
  readonly welcomes: boolean;
}

/** A mail with a code that logs somebody in. */
export interface CodeMail {
  readonly to: string;
  /** Milliseconds. */
  readonly at: number;
  readonly code: string;
}

/** A link with which somebody sets a password. */
export interface PasswordChangeTicket {
  readonly userId: string;
  readonly url: string;
  readonly marksEmailVerified: boolean;
  readonly clientId: string | undefined;
  readonly resultUrl: string | undefined;
  /** Milliseconds. */
  readonly expiresAt: number;
}

/** Auth0's default life of a ticket: five days. */
const TICKET_SECONDS = 432_000;
/** How long a mailed code works: Auth0's default, three minutes. */
const CODE_MS = 180_000;

/** What is kept of a tenant; mails with the tickets in their links. */
export interface TenantState {
  readonly users: UsersState;
  readonly roles: RolesState;
  readonly links: ReadonlyMap<string, MailLink>;
  readonly mails: readonly (readonly [mail: VerificationMail, ticket: string])[];
  readonly passwordMails: readonly (readonly [mail: PasswordMail, ticket: string])[];
  readonly codeMails: readonly CodeMail[];
  readonly tickets: readonly PasswordChangeTicket[];
}

/** The state of the emulated tenant, and the rules that take users, roles and mails together. */
export class Tenant {
  readonly users: Users;
  readonly roles: Roles;
  readonly mails: VerificationMail[] = [];
  readonly passwordMails: PasswordMail[] = [];
  readonly codeMails: CodeMail[] = [];
  readonly tickets: PasswordChangeTicket[] = [];
  readonly links: Links;
  /** The tickets in the links of mails. */
  readonly #ticketOf = new WeakMap<VerificationMail | PasswordMail, string>();
  readonly #now: () => number;
  readonly #welcomes: (appMetadata: Metadata) => boolean;

  constructor(connections: readonly Connection[], roleNames: readonly string[], now: () => number,
    welcomes: (appMetadata: Metadata) => boolean) {
    this.users = new Users(connections, now);
    this.roles = new Roles(roleNames);
    this.links = new Links(now);
    this.#now = now;
    this.#welcomes = welcomes;
  }

  /** All that is kept. */
  state(): TenantState {
    const withTicket = <Mail extends VerificationMail | PasswordMail>(mail: Mail) =>
      [mail, this.ticketOf(mail)] as const;
    return { users: this.users.state(), roles: this.roles.state(), links: this.links.state(),
      mails: this.mails.map(withTicket), passwordMails: this.passwordMails.map(withTicket), codeMails: this.codeMails,
      tickets: this.tickets };
  }

  /** Adds what another tenant kept. */
  restore({ users, roles, links, mails, passwordMails, codeMails, tickets }: TenantState): void {
    this.users.restore(users);
    this.roles.restore(roles);
    this.links.restore(links);
    this.mails.push(...mails.map(([mail]) => mail));
    this.passwordMails.push(...passwordMails.map(([mail]) => mail));
    for (const [mail, ticket] of [...mails, ...passwordMails]) this.#ticketOf.set(mail, ticket);
    this.codeMails.push(...codeMails);
    this.tickets.push(...tickets);
  }

  /** Creates a user and, unless told not to, mails a new database user whose email nobody has verified. */
  createUser(request: CreateUser): User {
    const user = this.users.create(request);
    const mailed = request.verify_email ?? !user.emailVerified;
    if (mailed && user.connection.strategy === "auth0") this.mailVerification(user, "create");
    return user;
  }

  /** Changes a user; mails the new address if the request says so. */
  updateUser(id: string, request: UpdateUser): User {
    const user = this.users.update(id, request);
    if (request.verify_email === true && request.email !== undefined) this.mailVerification(user, "update");
    return user;
  }

  /** Deletes a user, with their roles. */
  deleteUser(id: string): void {
    this.users.delete(id);
    this.roles.forgetUser(id);
  }

  /** Records a verification mail to a user. */
  mailVerification(user: User, cause: VerificationMail["cause"]): VerificationMail {
    if (user.email === undefined) {
      throw new Refusal(400, "The user does not have an email address.", "operation_not_supported");
    }
    const mail = { to: user.email, userId: user.id, at: this.#now(), cause };
    this.mails.push(mail);
    this.#ticketOf.set(mail, this.#link("verify", user.id, undefined));
    return mail;
  }

  /**
   * Records a change-password mail to the user of a database with this email, if there is one: Auth0 tells nobody
   * whether there is. Throws 400 for a connection that is no database.
   */
  mailPasswordChange({ email, connection, client_id: clientId }: PasswordMailRequest): void {
    if (this.users.connection(connection)?.strategy !== "auth0") {
      throw new Refusal(400, `${connection} is no database connection.`, "connection_not_found");
    }
    const user = this.users.byEmail(email.toLowerCase()).find((one) => one.connection.name === connection);
    if (user === undefined) return;
    const welcomes = this.#welcomes(user.appMetadata ?? {});
    const mail = { to: email.toLowerCase(), userId: user.id, at: this.#now(), clientId, welcomes };
    this.passwordMails.push(mail);
    this.#ticketOf.set(mail, this.#link("password", user.id, clientId));
  }

  /** Mails a code for logging in without a password. */
  mailCode(to: string): void {
    this.codeMails.push({ to, at: this.#now(), code: String(randomInt(1_000_000)).padStart(6, "0") });
  }

  /** Whether this is the newest code that was mailed there, and not too old. It works once. */
  takeCode(to: string, code: string): boolean {
    const index = this.codeMails.findLastIndex((mail) => mail.to === to);
    const mail = this.codeMails[index];
    if (mail?.code !== code || this.#now() > mail.at + CODE_MS) return false;
    this.codeMails.splice(index, 1);
    return true;
  }

  /** The ticket in a mail's link. */
  ticketOf(mail: VerificationMail | PasswordMail): string {
    return this.#ticketOf.get(mail) ?? "";
  }

  #link(purpose: "verify" | "password", userId: string, clientId: string | undefined): string {
    const expiresAt = this.#now() + TICKET_SECONDS * 1000;
    return this.links.add({ purpose, userId, expiresAt, clientId, resultUrl: undefined });
  }

  /**
   * Makes a password ticket for a database user. `baseUrl` is where its link would lead. Throws what Auth0 refuses.
   */
  createPasswordTicket(request: PasswordTicket, baseUrl: string): PasswordChangeTicket {
    if (request.user_id === undefined) {
      throw new Refusal(400, "Payload validation error: 'Missing required property: user_id'.", "invalid_body");
    }
    if (request.client_id !== undefined && request.result_url !== undefined) {
      throw new Refusal(400, "Use either client_id or result_url, not both.", "invalid_body");
    }
    const user = this.users.byId(request.user_id);
    if (user.connection.strategy !== "auth0") {
      throw new Refusal(400, "The user's main connection does not support this operation", "operation_not_supported");
    }
    // Zero means the default, as Auth0 documents it.
    const expiresAt = this.#now() + (request.ttl_sec || TICKET_SECONDS) * 1000;
    const { client_id: clientId, result_url: resultUrl } = request;
    const secret = this.links.add({ purpose: "password", userId: user.id, expiresAt, clientId, resultUrl });
    const ticket = { userId: user.id, url: `${baseUrl}/lo/reset?ticket=${secret}#`,
      marksEmailVerified: request.mark_email_as_verified ?? false, clientId, resultUrl, expiresAt };
    this.tickets.push(ticket);
    return ticket;
  }
}
