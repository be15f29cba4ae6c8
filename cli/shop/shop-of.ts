import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { NeedsPersonError } from "../../src/errors.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { type ShopAdmin, shopAdmin } from "../admin/shop-admin.ts";
import type { SecretValue } from "../setup/values.ts";
import type { StageAt } from "../stage/directory.ts";
import { readStored } from "../stage/secrets.ts";
import type { Stage } from "../stage/stage.ts";

/**
 * The stage's shop: through the token in its secret, or the operator's own; empty: none. The emulated shop needs none.
 * @throws {NeedsPersonError} GUMROAD_TOKEN_MISSING
 */
export async function shopOf(ownToken: string, { stage, commandLine }: StageAt): Promise<ShopAdmin> {
  const stored = await readStored(stage, "gumroad");
  const known = { seller_id: "not needed", ...emulatedShop(stage), ...("value" in stored ? stored.value : {}),
    ...(ownToken === "" ? {} : { access_token: ownToken }) };
  const parsed = gumroadSecretShape.safeParse(known);
  if (parsed.success) return shopAdmin(parsed.data);
  throw new NeedsPersonError("GUMROAD_TOKEN_MISSING",
    `the shop can't be read without an access token: ${commandLine("setup")}, or set GUMROAD_ACCESS_TOKEN`);
}

/** What the emulated shop takes; empty where there is none. */
export function emulatedShop({ emulators }: Pick<Stage, "emulators">): SecretValue {
  return emulators === null ? {} : { access_token: LOCAL_ACCESS_TOKEN, api: `${emulators.gumroad}/v2` };
}

/** The stage's shop as the service itself reads it; null without a token. */
export async function serviceShop({ stage }: Pick<StageAt, "stage">): Promise<ShopAdmin | null> {
  const stored = await readStored(stage, "gumroad");
  return stored.state === "good" ? shopAdmin(gumroadSecretShape.parse(stored.value)) : null;
}
