import { spawn } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, it } from "@jest/globals";

const module = pathToFileURL(path.resolve(import.meta.dirname, "../../scripts/end-with-parent.ts")).href;
const waiting = (stopped: string): string =>
  `import { endWithParent } from ${JSON.stringify(module)};
  endWithParent();
  process.on("SIGTERM", () => console.log("told"));
  process.once("SIGTERM", () => setTimeout(() => process.exit(), ${stopped}));
  setInterval(() => undefined, 1_000_000);
  console.log("up");`;

describe("a process that ends with its parent", () => {
  it("is told to end when the parent is killed, and once only", async () => {
    // A shell that waits for it, as npm does.
    const parent = spawn("sh", ["-c", '"$0" --input-type=module -e "$1" & wait', process.execPath, waiting("1_500")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    // Ends once the last one that may write to it has ended.
    for await (const part of parent.stdout.setEncoding("utf8")) {
      output += String(part);
      parent.kill("SIGKILL");
    }
    expect(output).toBe("up\ntold\n");
  });
});
