import type { CallSummary } from "emulator-server/call-log";

/** A call of Gumroad's API; its `url` is the path below `/v2` as it came. */
export interface GumroadCall extends CallSummary {
  /** Query and form fields, but for the token. */
  readonly parameters: Readonly<Record<string, string>>;
}
