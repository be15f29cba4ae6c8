import { randomBytes } from "node:crypto";

/** What a link in a mail is for. */
export interface MailLink {
  readonly purpose: "verify" | "password";
  readonly userId: string;
  /** Milliseconds. */
  readonly expiresAt: number;
  /** The application that it leads back to. */
  readonly clientId: string | undefined;
  /** A page that it leads to instead. */
  readonly resultUrl: string | undefined;
}

/** The links that are in mails and tickets. Each works once. */
export class Links {
  readonly #now: () => number;
  readonly #open = new Map<string, MailLink>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Those that still work, by ticket. */
  state(): ReadonlyMap<string, MailLink> {
    return this.#open;
  }

  /** Adds another tenant's. */
  restore(links: ReadonlyMap<string, MailLink>): void {
    for (const [ticket, link] of links) this.#open.set(ticket, link);
  }

  /** A new link's ticket: the secret in it. */
  add(link: MailLink): string {
    const ticket = randomBytes(24).toString("base64url");
    this.#open.set(ticket, link);
    return ticket;
  }

  /** What a ticket is for; undefined if it was used, is too old, or never was. */
  find(ticket: string, purpose: MailLink["purpose"]): MailLink | undefined {
    const link = this.#open.get(ticket);
    return link !== undefined && link.purpose === purpose && this.#now() < link.expiresAt ? link : undefined;
  }

  /** Ends a link. */
  use(ticket: string): void {
    this.#open.delete(ticket);
  }
}
