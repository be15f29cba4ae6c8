import type { Reason } from "../../src/access/standing.ts";
import type { Act, SourceId } from "../../src/access/facts.ts";
import type { HistoryEvent } from "../../src/ledger/ledger.ts";
import type { Invitation, Mark } from "../../src/ledger/record.ts";
import type { Logins } from "../admin/tenant-admin.ts";
import type { RoleChanges } from "../../src/provisioning/marks.ts";

/** One of a buyer's sources, and what it comes to now. */
export interface ExplainedSource {
  readonly id: SourceId;
  readonly productId: string;
  /** Null: the policy doesn't list it. Of a role given for nothing there is no product. */
  readonly product: string | null;
  readonly access: boolean;
  readonly reason: Reason;
  /** The reason in words, to go on after "because": of a held loss, why it would be lost. */
  readonly because: string;
  readonly variant: string | null;
  readonly variantListed: boolean;
  /** What Gumroad calls the option by now, where the policy doesn't list that. */
  readonly unlisted: string | null;
  readonly test: boolean;
  /** Other emails that its charges were seen under. */
  readonly emails: readonly string[];
  /** Changes of plan that no charge has confirmed. */
  readonly unconfirmed: number;
  /** When changes of plan come into force that only pings told of (epoch ms). */
  readonly plansAhead: readonly number[];
  /** What it gives now; of a held one, what it gives on. */
  readonly gives: readonly string[];
  /** What it would give if it gave access. */
  readonly couldGive: readonly string[];
  /** Since when its loss is held (epoch ms), or null. */
  readonly heldSince: number | null;
  /** What an operator decided last. */
  readonly act: Act | null;
  /** The buyer from whom an operator moved it here, or null. */
  readonly movedFrom: string | null;
  /** What Gumroad says of it now; null where it wasn't asked. */
  readonly gumroad: GumroadNow | null;
}

/** What Gumroad's API says of a purchase at this moment. */
export interface GumroadNow {
  /** In words: "paid", "refunded". */
  readonly says: string;
  /** Whether by that it stands: paid and not taken back, or running; null where that alone doesn't tell. */
  readonly stands: boolean | null;
  readonly orderNumber: string | null;
  /** How many were bought; access is for the buyer alone. */
  readonly quantity: number | null;
}

/** A gift that the buyer made: another buyer's record holds it. */
export interface GiftMade {
  readonly source: SourceId;
  readonly productId: string;
  readonly receiver: string;
}

/** A command that somebody should run, without the program's name, or `deploy`; and what it does. */
export interface NextStep {
  readonly command: string;
  readonly why: string;
}

/** One role, and why the buyer should have it or not. */
export interface ExplainedRole {
  readonly role: string;
  readonly entitled: boolean;
  /** Whether a user of theirs has it: at Auth0, or, where that can't be asked, by our record. */
  readonly isThere: boolean;
  /** The sources that give it; where none does, those that could. */
  readonly sources: readonly SourceId[];
}

/** One Auth0 user: what the record says, and what Auth0 says now. */
export interface ExplainedUser {
  readonly id: string;
  /** Null: not bound, so none of our roles go there. */
  readonly origin: "created" | "verified" | null;
  /** What the record says we gave, or are about to change. */
  readonly roles: Readonly<Record<string, Mark>>;
  /** Roles of other makings: never touched. */
  readonly foreign: readonly string[];
  /** What Auth0 says now, `metadataRoles` being those in `app_metadata`; null where it could not be asked. */
  readonly auth0: { readonly exists: boolean; readonly verified: boolean | null; readonly roles: readonly string[];
    readonly metadataRoles: readonly string[] } | null;
  /** How often and how they logged in; null where that could not be asked. */
  readonly logins: Logins | null;
}

/** Something that isn't done yet. Times are epoch milliseconds. */
export interface Wait {
  /**
   * A stable code: an error's, one of what waits unread (see `Unread`), or EMAIL_UNVERIFIED, OPTION_UNLISTED, HELD,
   * CLAIMED, CHANGING, CHANGES_BY_TIME.
   */
  readonly code: string;
  readonly what: string;
  readonly since: number | null;
  /** When it is looked at again by itself. */
  readonly next: number | null;
}

/** What would be done if the record were looked at now. */
export interface WouldChange {
  /** No user is known yet: one would be found or created. */
  readonly findsUsers: boolean;
  readonly users: readonly RoleChanges[];
}

/** Why a buyer has, or has not, each role. Times are epoch milliseconds. */
export interface Explanation {
  readonly buyer: string;
  readonly at: number;
  readonly spellings: readonly string[];
  readonly roles: readonly ExplainedRole[];
  readonly sources: readonly ExplainedSource[];
  readonly users: readonly ExplainedUser[];
  /** Gifts that this buyer made, as far as pings or Gumroad now tell. */
  readonly gave: readonly GiftMade[];
  /** Why Gumroad could not be asked, or null; also null without a token. */
  readonly gumroadFailure: { readonly code: string; readonly message: string } | null;
  readonly next: readonly NextStep[];
  /** Why Auth0 could not be asked, or null. */
  readonly auth0Failure: { readonly code: string; readonly message: string } | null;
  readonly waits: readonly Wait[];
  /** The mail that lets them in; null: none was asked for. */
  readonly invited: Invitation | null;
  readonly wouldChange: WouldChange;
  /** Oldest first. */
  readonly events: readonly HistoryEvent[];
}
