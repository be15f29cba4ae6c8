import type { Latency } from "emulator-server/request-handler";
import type { AccessToken } from "./access-tokens.ts";
import type { GumroadCall } from "./calls.ts";
import type { Chaos, PingDelays } from "./post-office.ts";
import type { Deliver } from "./post.ts";
import type { Product } from "./products.ts";

/** The seller of the fixture pings. */
export const FIXTURE_SELLER = "fHis2sbMl3TASuuulQvtoQ==";

/** The token that an emulator has at first. */
export const LOCAL_ACCESS_TOKEN = "local-gumroad-token";

/** How long after an act Gumroad's own queue sends its ping. */
export const GUMROAD_PING_DELAYS: PingDelays = { sale: 10_000, other: 5_000 };

/** Settings of an emulator. */
export interface GumroadEmulatorOptions {
  /** Port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** Where people look, told to a browser that opens `/`. Default: `/` is a 404, as at the service. */
  readonly frontPage?: () => string;
  /** Default {@link FIXTURE_SELLER}. */
  readonly sellerId?: string;
  /** Default `acme`. */
  readonly subdomain?: string;
  /** Default the products of the fixture pings. */
  readonly products?: readonly Product[];
  /** `gumroad_fee` of every sale, US cents. Default 490, as in the fixture pings. */
  readonly feeCents?: number;
  /** Default {@link LOCAL_ACCESS_TOKEN} with `view_sales`. */
  readonly tokens?: readonly AccessToken[];
  /** Settings → Advanced → Ping. Default none. */
  readonly pingUrl?: string;
  /** Registered for each of the eight events from the start. Default none. */
  readonly eventsUrl?: string;
  /** How pings are delivered. Default `http`: posted for real. */
  readonly deliver?: "http" | Deliver;
  /** Milliseconds that a post may take. Default 5000. */
  readonly postTimeoutMs?: number;
  /** Default none: a ping goes out with its act. {@link GUMROAD_PING_DELAYS} sends it when time is moved so far. */
  readonly pingDelays?: PingDelays;
  /** Default none. */
  readonly chaos?: Chaos;
  /** Epoch milliseconds, before `advance` moves it. Default the machine's. */
  readonly now?: () => number;
  /**
   * Moves the clock that `now` reads by so many milliseconds, for all who share it. Default: the emulator runs ahead
   * of it.
   */
  readonly forward?: (milliseconds: number) => void;
  /** Same seed, same ids. Default: other ids each time. */
  readonly idSeed?: string;
  /** Default 0. */
  readonly latency?: Latency<GumroadCall>;
  /** How latency is waited for. Default a timer. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}
