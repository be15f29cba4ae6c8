// Shows the help of the commands named, and prints which files that loaded, as JSON.
import { registerHooks } from "node:module";

const loaded = [];
registerHooks({ load: (url, context, next) => {
  if (url.startsWith("file:")) loaded.push(url);
  return next(url, context);
} });
const { runCli } = await import("../../cli/program.ts");
await import("../../cli/stage/open.ts");
await import("../../cli/terminal/questions.ts");
const silent = () => undefined;
for (const command of process.argv.slice(2)) {
  if ((await runCli([command, "--help"], { env: {}, print: silent, complain: silent })) !== 0) process.exit(1);
}
process.stdout.write(JSON.stringify(loaded));
