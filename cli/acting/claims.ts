import type { ActFlags } from "../commands/options.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { type ClaimDecision, decided, openRequests, requestFor } from "../operations/claims.ts";
import { isoOf, momentOf } from "../terminal/moments.ts";
import { signatureOf, toldDone, waitingOf } from "./telling.ts";

/** Lists the requests that nobody decided yet. */
export async function listClaims(context: Context): Promise<ExitCode> {
  const { output, commandLine } = context;
  const found = await operate(context, openRequests);
  for (const { source, by, at, buyer, product } of found) {
    output.say(`${momentOf(at)}  ${source}  ${product}, of ${buyer}: ${by} shows its licence key`);
  }
  output.say(
    found.length === 0
      ? "nobody asks for anything"
      : `${commandLine("claims confirm SOURCE")} or refuse; ${commandLine("explain BUYER")} shows what there is`,
  );
  output.result({
    claims: found.map(({ source, by, at, buyer, product }) => ({ source, product, buyer, by, at: isoOf(at) })),
  });
  return EXIT.ok;
}

/** Decides about one request. Throws as `requestFor`. */
export async function decideClaim(decision: ClaimDecision, source: string | undefined, claimant: string | undefined,
  flags: ActFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const found = await operate(context, (operating) => requestFor(source ?? "", claimant, operating));
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
