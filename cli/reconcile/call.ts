import { InvokeCommand } from "@aws-sdk/client-lambda";
import * as z from "zod";

import { NeedsPersonError } from "../../src/errors.ts";
import { sweepKinds } from "../../src/ledger/sweeps.ts";
import type { SweepState } from "../../src/sweeping/reconcile.ts";
import type { Stage } from "../stage/stage.ts";

/** A sweep that the function makes when asked. */
export type AskableSweep = (typeof sweepKinds)[number];

const stateShape = z.object({ sweep: z.enum(sweepKinds), read: z.number(), differed: z.number(), sent: z.number(),
  finished: z.boolean(), token: z.boolean() });
const reportShape = z.object({ sweeps: z.array(stateShape) });
const failureShape = z.object({ errorType: z.string().default("Error"),
  errorMessage: z.string().default("it doesn't say why") });

/**
 * Has the function `reconcile` make a slice of a sweep, and gives how far it is; null if it could not: another run was
 * first, or Gumroad can't be read. Errors of the AWS SDK go through.
 * @throws {NeedsPersonError} RECONCILE_FAILED if the function failed
 */
export async function askForSweep({ lambda, name }: Pick<Stage, "lambda" | "name">, sweep: AskableSweep,
  goOn: boolean): Promise<SweepState | null> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: `gumroad-auth0-${name}-reconcile`,
      Payload: JSON.stringify(goOn ? { sweep, goOn } : { sweep }) }),
  );
  const answer: unknown = JSON.parse(Payload?.transformToString() || "null");
  if (FunctionError !== undefined) {
    const { errorType, errorMessage } = failureShape.parse(answer ?? {});
    throw new NeedsPersonError("RECONCILE_FAILED", `the function reconcile failed: ${errorType}: ${errorMessage}`);
  }
  return reportShape.parse(answer).sweeps.find((state) => state.sweep === sweep) ?? null;
}
