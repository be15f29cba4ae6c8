import { giveBack, takeLetters } from "../replay/letters.ts";
import type { Stage } from "../stage/stage.ts";
import { toldOf, type ToldLetter } from "./discard.ts";
import { queueState } from "./status.ts";

/**
 * What the dead-letter queue holds of a buyer, as far as it names them. Looks into it only where anything is in it,
 * and leaves all as it was. Throws what the AWS SDK throws.
 */
export async function lettersOf(email: string, stage: Stage): Promise<readonly ToldLetter[]> {
  if ((await queueState(stage, stage.deadLetters)).waiting === 0) return [];
  const letters = await takeLetters(stage);
  await giveBack(stage, letters);
  return letters.map(toldOf).filter(({ buyer }) => buyer === email);
}
