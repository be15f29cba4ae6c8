// Shows the help of the commands named, and prints which files that loaded, as JSON.
import { registerHooks } from "node:module";

const loaded = [];
registerHooks({ load: (url, context, next) => {
  if (url.startsWith("file:")) loaded.push(url);
  return next(url, context);
} });
const commands = process.argv.splice(2, Infinity, "--help");
const { write } = process.stdout;
process.stdout.write = () => true;
await import("../../cli/main.ts");
process.stdout.write = write;
const { runCli } = await import("../../cli/program.ts");
const silent = () => undefined;
for (const command of commands) {
  if ((await runCli([command, "--help"], { env: {}, print: silent, complain: silent })) !== 0) process.exit(1);
}
process.stdout.write(JSON.stringify(loaded));
