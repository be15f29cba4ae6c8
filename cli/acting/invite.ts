import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { operate } from "../operating.ts";
import { invited, rolesToInviteTo, type Mailed } from "../operations/invite.ts";
import { cameResult, signatureOf, tellCame, waitingOf } from "./telling.ts";
import type { ActFlags } from "../commands/options.ts";

/** Has Auth0 mail what gets a buyer in. */
export async function invite(buyer: string, flags: ActFlags, context: Context): Promise<ExitCode> {
  const { output } = context;
  const waiting = waitingOf(flags);
  const roles = await operate(context, (operating) => rolesToInviteTo(buyer, operating));
  const dryRun = flags.dryRun === true;
  const signature = dryRun ? null : await signatureOf(flags, context);
  output.say(`${dryRun ? "would invite" : "invites"} ${buyer}, who is to have ${roles.join(", ")}`);
  if (signature === null) {
    output.result({ buyer, roles, dryRun });
    return EXIT.ok;
  }
  const { came, mailed } = await operate(context, (operating) => invited(buyer, signature, waiting, operating));
  output.result({ ...cameResult(came), roles, dryRun, mailed });
  const isMatched = tellCame([came], flags, context);
  const isMailed = tellMailed(buyer, mailed, context);
  // Who has yet to verify can't have the role before: the mail for that was what there was to do.
  return isMailed && (isMatched || mailed.state === "asked to verify") ? EXIT.ok : EXIT.failed;
}

function tellMailed(buyer: string, mailed: Mailed, { output, commandLine }: Context): boolean {
  const explain = commandLine(`explain ${buyer}`);
  switch (mailed.state) {
    case "invited":
      output.say(output.tone("good", "done: Auth0 mailed the invitation"));
      return true;
    case "asked to verify":
      output.say(output.tone("good", "done: Auth0 mailed the link to verify the address; the roles follow it"));
      return true;
    case "queued":
      output.say(`whether the mail went out: ${explain}`);
      return true;
    case "waits":
      output.say(output.tone("warning", `the mail waits: ${mailed.message}. It goes on by itself; ${explain}`));
      return false;
    case "failed":
      output.say(output.tone("bad", `no mail went out: ${mailed.message}`));
      return false;
    case "not seen":
      output.say(output.tone("bad", `whether a mail went out isn't known yet: ${explain}`));
      return false;
  }
}
