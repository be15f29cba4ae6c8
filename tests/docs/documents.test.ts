/** What the documents name is there: each `npm run …`, each link to a file of the project and to a heading in it. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";
import manifest from "../../package.json" with { type: "json" };

const root = path.resolve(import.meta.dirname, "../..");
const documents = globSync("**/*.md", { cwd: root,
  exclude: ["node_modules", ".build", ".local", "proof/node_modules"] })
  .map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") }));

describe("the documents", () => {
  it("name no script that package.json lacks", () => {
    const named = documents.flatMap(({ file, text }) =>
      [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = ""]) => `${name} in ${file}`)
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((each) => !Object.hasOwn(manifest.scripts, String(each.split(" ")[0])))).toEqual([]);
  });

  it("link to nothing that isn't there", () => {
    const links = documents.flatMap(({ file, text }) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = ""]) => ({ file, to }))
        .filter(({ to }) => !/^(?:https?|mailto):/.test(to))
    );
    expect(links.length).toBeGreaterThan(30);
    expect(links.filter(({ file, to }) => !isThere(file, to))).toEqual([]);
  });
});

describe("a script that installs first", () => {
  it("goes on by exec: the shell would take the node that it found before, the reader's own", () => {
    const installing = Object.entries(manifest.scripts).filter(([, script]) =>
      script.includes("ensure-installed.mjs &&")
    );
    expect(installing.map(([name]) => name)).toContain("package");
    expect(installing.filter(([, script]) => !script.includes("&& exec node "))).toEqual([]);
  });
});

function isThere(from: string, to: string): boolean {
  const [file = "", heading] = to.split("#");
  const target = path.join(root, file === "" ? from : path.join(path.dirname(from), file));
  if (!existsSync(target)) return false;
  return heading === undefined ||
    [...readFileSync(target, "utf8").matchAll(/^#+ (.+)$/gm)].some(([, words = ""]) => anchorOf(words) === heading);
}

/** As GitHub names a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-");
}
