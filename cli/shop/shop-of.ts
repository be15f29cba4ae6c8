import { LOCAL_ACCESS_TOKEN } from "gumroad-emulator/options";
import { NeedsPersonError } from "../../src/errors.ts";
import { gumroadSecretShape } from "../../src/gumroad/secret.ts";
import { type ShopAdmin, shopAdmin } from "../admin/shop-admin.ts";
import type { Context } from "../context.ts";
import { readStored } from "../stage/secrets.ts";

/**
 * The stage's shop: through the token in its secret, or the one in GUMROAD_ACCESS_TOKEN. The emulated shop needs none.
 * @throws {NeedsPersonError} GUMROAD_TOKEN_MISSING
 */
export async function shopOf(context: Pick<Context, "stage" | "env" | "commandLine">): Promise<ShopAdmin> {
  const stage = await context.stage();
  const stored = await readStored(stage, "gumroad");
  const emulated = stage.emulators === null
    ? {}
    : { access_token: LOCAL_ACCESS_TOKEN, api: `${stage.emulators.gumroad}/v2` };
  const token = context.env["GUMROAD_ACCESS_TOKEN"] ?? "";
  const known = { seller_id: "not needed", ...emulated, ...("value" in stored ? stored.value : {}),
    ...(token === "" ? {} : { access_token: token }) };
  const parsed = gumroadSecretShape.safeParse(known);
  if (parsed.success) return shopAdmin(parsed.data);
  throw new NeedsPersonError("GUMROAD_TOKEN_MISSING",
    `the shop can't be read without an access token: ${context.commandLine("setup")}, or set GUMROAD_ACCESS_TOKEN`);
}
