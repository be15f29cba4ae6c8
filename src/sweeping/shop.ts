import { NeedsPersonError } from "../errors.ts";
import type { GumroadApi } from "../gumroad/api.ts";
import type { GumroadCredentials } from "../gumroad/secret.ts";

/**
 * A shop that is opened only to its own token: another seller's sales must never give access here. Opening it throws
 * NeedsPersonError GUMROAD_SELLER, or what the API or reading the secret throws.
 */
export function shopOf(api: GumroadApi, credentials: (signal: AbortSignal) => Promise<GumroadCredentials | null>) {
  return async (signal: AbortSignal): Promise<GumroadApi | null> => {
    const configured = await credentials(signal);
    if (configured === null) return null;
    const sellerId = await api.sellerId(signal);
    if (sellerId === configured.sellerId) return api;
    throw new NeedsPersonError("GUMROAD_SELLER",
      "The access token in the secret gumroad is of another seller than its seller_id: put the right pair there.");
  };
}
