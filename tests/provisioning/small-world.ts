import type { Auth0Emulator } from "auth0-emulator";
import type { Policy } from "../../src/access/policy.ts";
import { auth0Directory } from "../../src/auth0/directory.ts";
import { auth0SecretShape } from "../../src/auth0/secret.ts";
import type { GumroadApi } from "../../src/gumroad/api.ts";
import { ledgerTable } from "../../src/ledger/keys.ts";
import { storeOn, type Provisioning } from "../../src/provisioning/context.ts";
import { provisionBuyer } from "../../src/provisioning/provision.ts";
import { retrySeconds } from "../../src/provisioning/timing.ts";
import type { Message } from "../../src/queue/message.ts";
import type { LedgerTable } from "../ledger/ledger-table.ts";

/** How long a call of Auth0 or Gumroad takes here (ms). */
export const CALL_MS = 100;
/** And what is read and written in a turn. */
const STORE_MS = 10;
const MOST_RECEIVES = 10;

/** Many buyers, a queue in memory and a clock that only calls and waits move; the ledger and Auth0's side are real. */
export type SmallWorld = ReturnType<typeof smallWorld>;

export interface WorldOptions {
  readonly auth0: Auth0Emulator;
  readonly table: LedgerTable;
  readonly policy: Policy;
  readonly settings?: Provisioning["settings"];
  /** Null: nothing can be read back. */
  readonly gumroad?: GumroadApi | null;
  /** Epoch ms. */
  readonly start: number;
}

/** A world in which nothing happened yet. */
export function smallWorld(
  { auth0, table, policy, start, gumroad = null, settings = { place: "roles", gettingIn: "none" } }: WorldOptions,
) {
  let now = start;
  let waiting: { readonly message: Message; readonly receives: number; readonly at: number }[] = [];
  /** What a call of Auth0 comes to instead: an answer, or an error to be thrown. */
  let fault: () => Response | Error | null = () => null;
  const dead: Message[] = [];
  const kept: string[] = [];
  /** When each buyer's first turn began. */
  const turns = new Map<string, number>();
  const wait = async (ms: number): Promise<void> => {
    now += ms;
    return Promise.resolve();
  };
  const credentials = async () =>
    Promise.resolve(
      auth0SecretShape.parse({ domain: auth0.url, client_id: "local-client", client_secret: "local-secret" }),
    );
  let state = 1;
  /** Chance, always the same: numbers from 0 to below 1. */
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const directory = auth0Directory({ secret: { get: credentials, reread: credentials }, now: () => now, wait,
    retrying: { wait, random }, fetch: async (input, init) => {
      now += CALL_MS;
      const instead = fault();
      if (instead instanceof Error) throw instead;
      return instead ?? fetch(input, init);
    } });
  const store = storeOn(ledgerTable(table.client, table.name));
  const work: Provisioning = { store, auth0: directory, gumroad: async () => Promise.resolve(gumroad), policy,
    settings, now: () => now, signal: new AbortController().signal,
    queue: { send: async (message) => Promise.resolve(send(message)),
      keep: async ({ code }) => Promise.resolve(void kept.push(code)), retryIn: async () => Promise.resolve() } };

  function send(...messages: readonly Message[]): void {
    waiting.push(...messages.map((message) => ({ message, receives: 0, at: now })));
  }

  /** Works off what is there for one buyer, as SQS hands it out. */
  async function turn(buyer: string): Promise<void> {
    const mine = waiting.filter(({ message, at }) => message.buyer === buyer && at <= now);
    waiting = waiting.filter((each) => !mine.includes(each));
    if (!turns.has(buyer)) turns.set(buyer, now);
    now += STORE_MS;
    const receives = Math.max(...mine.map((each) => each.receives)) + 1;
    const messages = mine.map(({ message }) => message);
    const again = await provisionBuyer(buyer, messages, work, receives).catch(() => messages);
    for (const each of mine.filter(({ message }) => again.includes(message))) {
      if (each.receives + 1 >= MOST_RECEIVES) dead.push(each.message);
      else waiting.push({ ...each, receives: each.receives + 1, at: now + retrySeconds(each.receives + 1) * 1_000 });
    }
  }

  return {
    store,
    dead,
    kept,
    turns,
    send,
    random,
    now: () => now,
    letPass: (ms: number) => {
      now += ms;
    },
    fail: (next: typeof fault) => {
      fault = next;
    },
    /** The next buyer who waits has a turn; false: nobody does. */
    step: async (): Promise<boolean> => {
      const [first] = waiting.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
      if (first !== undefined) await turn(first.message.buyer);
      return first !== undefined;
    },
    /** Works off all that is there, and that comes back, until the queue is empty. */
    drain: async (until = Number.POSITIVE_INFINITY): Promise<void> => {
      for (;;) {
        const [first] = [...waiting].sort((a, b) => a.at - b.at);
        if (first === undefined || first.at > until) return;
        now = Math.max(now, first.at);
        await turn(first.message.buyer);
      }
    },
    /** Word of who is due, as reconcile sends it each minute. */
    sendDue: async (): Promise<readonly string[]> => {
      const due: string[] = [];
      for await (const page of store.ledger.due(now)) due.push(...page.map(({ email }) => email));
      const buyers = [...new Set(due)];
      send(...buyers.map((buyer) => ({ v: 1, kind: "due", requestId: "r", buyer }) as const));
      return buyers;
    },
    rolesOf: (email: string) => auth0.rolesOfEmail(email),
  };
}
