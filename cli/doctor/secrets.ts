import { NeedsPersonError } from "../../src/errors.ts";
import { storedKey } from "../forget/key.ts";
import type { Stage } from "../stage/stage.ts";
import { type SecretName, secretName, type StoredSecret } from "../stage/secrets.ts";

import type { Finding } from "./finding.ts";

/** Whether a secret is there and can be used. */
export function secretFindings(stage: Stage, name: SecretName, secret: StoredSecret,
  { setup, deploy }: { readonly setup: string; readonly deploy: string }): readonly Finding[] {
  const full = secretName(stage, name);
  switch (secret.state) {
    case "absent":
      return [{ code: "SECRET_ABSENT",
        message: `The stage has no secret ${full}: it was deployed before there was one.`, mend: deploy }];
    case "empty":
      // Who leaves this one empty doesn't want the self-built login.
      return name === "accounts"
        ? []
        : [{ code: "SECRET_MISSING", message: `The secret ${full} has no value.`, mend: setup }];
    case "broken":
      return [{ code: "SECRET_INCOMPLETE", message: `The secret ${full} can't be used: ${secret.problem}.`,
        mend: setup }];
    case "good":
      return [];
  }
}

/**
 * Left empty, nobody was forgotten. A broken one fails every message, and another key would bring forgotten people
 * back.
 */
export async function forgetFindings(stage: Stage): Promise<readonly Finding[]> {
  try {
    await storedKey(stage);
    return [];
  } catch (error) {
    if (!(error instanceof NeedsPersonError)) throw error;
    const mend =
      `aws secretsmanager get-secret-value --secret-id gumroad-auth0/${stage.name}/forget --version-stage AWSPREVIOUS`;
    return [{ code: "SECRET_INCOMPLETE", message: `${error.message}.`, mend }];
  }
}
