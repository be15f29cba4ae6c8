import { NeedsPersonError } from "../../src/errors.ts";
import { gumroadApi, type GumroadApi } from "../../src/gumroad/api.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { shopOf } from "../../src/sweeping/shop.ts";
import type { StageAt } from "../stage/directory.ts";
import { readStored } from "../stage/secrets.ts";

const LIMIT_MS = 60_000;

/**
 * The shop as the service itself reads it, with the token in the stage's secret and no other: without that, the
 * service could do nothing with a hint.
 * @throws {NeedsPersonError} GUMROAD_TOKEN_MISSING, GUMROAD_SELLER, or as `GumroadApi`
 */
export async function openShop({ stage, commandLine }: StageAt): Promise<GumroadApi> {
  const missing = (): NeedsPersonError =>
    new NeedsPersonError("GUMROAD_TOKEN_MISSING",
      `past sales can't be read back without an access token in the secret gumroad: ${commandLine("setup")}`);
  const stored = await readStored(stage, "gumroad");
  if (stored.state !== "good") throw missing();
  const credentials = async () => gumroadSecretShape.parse(stored.value);
  const shop = await shopOf(gumroadApi({ secret: { get: credentials, reread: credentials } }), credentials)(
    AbortSignal.timeout(LIMIT_MS),
  );
  if (shop === null) throw missing();
  return shop;
}
