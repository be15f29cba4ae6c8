import { NeedsPersonError } from "../../src/errors.ts";
import { pingSecretShape } from "../../src/receiving/token.ts";
import type { StageAt } from "../stage/directory.ts";
import type { Stage } from "../stage/stage.ts";
import { readStored } from "../stage/secrets.ts";

/**
 * The current token of a stage's ping URL.
 * @throws {NeedsPersonError} PING_TOKEN_MISSING
 */
export async function pingToken(stage: Stage, { commandLine }: Pick<StageAt, "commandLine">): Promise<string> {
  const stored = await readStored(stage, "ping");
  const [token] = stored.state === "good" ? pingSecretShape.parse(stored.value).tokens : [];
  if (token !== undefined) return token;
  throw new NeedsPersonError("PING_TOKEN_MISSING",
    `the secret ping has no token, so no ping can be sent: ${commandLine("setup")}`);
}
