import { readFile } from "node:fs/promises";
import path from "node:path";

import { build } from "esbuild";
import { projectRoot } from "../../scripts/project-root.ts";
import { COURSES } from "../local-login.ts";
import type { Stack } from "../stack.ts";

/** A file of the courses page. */
export interface PageFile {
  readonly type: string;
  readonly body: string;
}

const SOURCE = path.join(projectRoot, "examples/course-platform");

/** The files of examples/course-platform, set up for this stack: as they would be deployed, but for settings.js. */
export function coursesFiles(stack: Stack): (name: string) => Promise<PageFile | null> {
  let script: Promise<string> | undefined;
  return async (name) => {
    switch (name) {
      case "":
        return { type: "text/html", body: await readFile(path.join(SOURCE, "index.html"), "utf8") };
      case "style.css":
        return { type: "text/css", body: await readFile(path.join(SOURCE, "style.css"), "utf8") };
      case "main.js":
        return { type: "text/javascript", body: await (script ??= bundled()) };
      case "settings.js":
        return { type: "text/javascript", body: `window.COURSES = ${JSON.stringify(settingsOf(stack))};` };
      default:
        return null;
    }
  };
}

async function bundled(): Promise<string> {
  const { outputFiles } = await build({ absWorkingDir: SOURCE, entryPoints: ["src/main.ts"], bundle: true,
    write: false, format: "esm", minify: true, target: "es2022", logLevel: "silent" });
  return outputFiles[0]?.text ?? "";
}

function settingsOf({ url, auth0 }: Stack): Record<string, string> {
  return { domain: auth0.url, clientId: COURSES.clientId, api: url, audience: COURSES.audience,
    rolesClaim: COURSES.rolesClaim, shop: "/shop?product=" };
}
