import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../failures.ts";
import { filesReplayed, type Posted, type ReplayReport } from "../operations/replay-files.ts";
import { LOCAL } from "../stage/stage.ts";
import { buyerTable, pingTable, reportResult } from "./report.ts";
import { countOf } from "./settings.ts";

/** How wire bodies are posted. */
export interface FileFlags {
  readonly to?: string;
  readonly token?: string;
  readonly repeat: string;
  readonly atOnce?: true;
}

/** Posts wire bodies as Gumroad does, and shows what became of the buyers. Throws as `filesReplayed`. */
export async function replayBodies(paths: readonly string[], flags: FileFlags, context: Context): Promise<ExitCode> {
  const { output, stage, env, commandLine, stageName } = context;
  const { to, token, atOnce } = flags;
  const report = await filesReplayed({ paths, to, token, repeat: countOf("--repeat", flags.repeat),
    atOnce: atOnce === true }, (posted) => show(posted, context), { isLocal: stageName() === LOCAL, stage, env,
    commandLine });
  showBuyers(report, context);
  output.result(reportResult(report));
  return report.pings.every(({ status }) => status !== null && status >= 200 && status < 300) ? EXIT.ok : EXIT.failed;
}

function show(posted: Posted, { output }: Context): void {
  output.say(
    posted.kind === "answers"
      ? pingTable(posted.answers)
      : `Gumroad's API has their rows now, to be read back: ${String(posted.sales)} of sales, ${
        String(posted.subscribers)
      } of subscribers\n`,
  );
}

function showBuyers({ buyers, waiting, managementCalls }: ReplayReport, { output: { say } }: Context): void {
  say("");
  if (buyers === null) {
    say("Roles are not shown: set AUTH0_DOMAIN, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET to read them.");
  } else say(buyers.length === 0 ? "No body names a buyer." : buyerTable(buyers));
  if (waiting > 0) say(`\n${String(waiting)} messages wait to be tried or read again: npm start prints why.`);
  if (managementCalls !== null) say(`\nManagement calls since the emulator's start: ${String(managementCalls)}`);
}
