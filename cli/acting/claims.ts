import type { ActFlags } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { type ClaimDecision, decided, claimFor, listedClaims } from "../operations/claims.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";
import { signatureOf, toldDone, waitingOf } from "./telling.ts";

/** Lists the requests that nobody decided yet, and what accounts of the self-built login have. */
export async function listClaims(context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const found = await operate(context, listedClaims);
  for (const { source, by, at, buyer, product, state } of found) {
    const does = state === "asked" ? "shows its licence key" : "has it by its licence key";
    output.say(`${momentOf(at)}  ${source}  ${product}, of ${buyer}: ${by} ${does}`);
  }
  output.say(
    found.some(({ state }) => state === "asked")
      ? `${commandLine("claims confirm SOURCE")} or refuse; ${commandLine("explain BUYER")} shows what there is`
      : "nobody asks for anything",
  );
  if (found.some(({ state }) => state === "granted")) {
    output.say(`${commandLine("claims refuse SOURCE name:ACCOUNT")} takes from an account what it has`);
  }
  output.result({
    claims: found.map(({ source, by, at, buyer, product, state }) => ({ source, product, buyer, by, state,
      at: isoOf(at) })
    ),
  });
  return EXIT.ok;
}

/** Decides about one claim. Throws as `claimFor`. */
export async function decideClaim(decision: ClaimDecision, source: string | undefined, claimant: string | undefined,
  flags: ActFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const found = await operate(context, (operating) => claimFor(decision, source ?? "", claimant, operating));
  const { claim, record: { email: buyer } } = found;
  const dryRun = flags.dryRun === true;
  const about = { buyer, source: claim.source, claimant: claim.by, decision, dryRun };
  output.say(`${dryRun ? `would ${decision}` : `${decision}s`} that ${claim.by} gets ${claim.source} of ${buyer}`);
  if (dryRun) {
    output.result(about);
    return EXIT.ok;
  }
  const waiting = waitingOf(flags);
  const signature = await signatureOf(flags, context);
  const came = await operate(context, (operating) => decided(decision, found, signature, waiting, operating));
  output.result({ ...about, ...signature, outcome: came[0]?.outcome });
  return toldDone(came, flags, context);
}
