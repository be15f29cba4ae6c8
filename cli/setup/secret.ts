import { isDeepStrictEqual } from "node:util";

import { keptOf, type SecretValue } from "./values.ts";
import { type SecretName, secretName, writeSecret } from "../stage/secrets.ts";

import type { Work } from "./work.ts";

/** Writes a secret if it isn't so already. Null: it can't be completed without losing something. */
export async function store({ stage, steps, stored }: Work, name: SecretName,
  value: SecretValue | null): Promise<void> {
  const before = stored[name];
  const step = `secret ${name}`;
  if (before.state === "absent") {
    steps.byHand(step,
      `the stage has none: ${
        stage.emulators === null ? `npm run deploy -- --stage ${stage.name}` : "stop npm start and start it again"
      }, then this again`);
    return;
  }
  if (value === null) {
    steps.byHand(step,
      `${before.state === "broken" ? before.problem : "broken"}; completing it would lose keys: mend ${
        secretName(stage, name)
      } as docs/security.md shows`);
    return;
  }
  if (before.state === "good" && isDeepStrictEqual(before.value, value)) {
    steps.kept(step, "complete");
    return;
  }
  const changes = Object.keys(value).filter((key) => !isDeepStrictEqual(value[key], keptOf(before)[key]));
  await steps.change(step, `${before.state === "empty" ? "filled" : "changed"}: ${changes.join(", ")}`,
    () => writeSecret(stage, name, value));
}
