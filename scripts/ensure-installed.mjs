// Installs what the lock file pins when it is not there yet, or is another lock file's. Plain JavaScript, because it
// runs on whatever Node the reader has, before anything is installed.
import { execSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`gumroad-auth0 needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}

const installed = "node_modules/.installed-lock";
const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  process.stderr.write("Installing the packages that package-lock.json pins (once) …\n");
  try {
    // No package runs a script of its own but those that package.json allows.
    const { allowScripts } = JSON.parse(readFileSync("package.json", "utf8"));
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
    execSync("npm ci --ignore-scripts --prefer-offline --loglevel=error", { stdio: ["ignore", 2, 2] });
    execSync(`npm rebuild ${allowed.join(" ")} --loglevel=error`, { stdio: ["ignore", "ignore", 2] });
  } catch {
    process.stderr.write("npm ci failed: see its message above. Mend that, then run the same command again.\n");
    process.exit(1);
  }
  writeFileSync(installed, lock);
}
