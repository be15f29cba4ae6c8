/** What the documents name is there: each `npm run …`, each link to a file of the project and to a heading in it. */
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";
import manifest from "../../package.json" with { type: "json" };

const root = path.resolve(import.meta.dirname, "../..");
const documents = globSync("**/*.md", { cwd: root, exclude: ["**/node_modules", ".build", ".local"] })
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

describe("docs/alarms.md", () => {
  const text = readFileSync(path.join(root, "docs/alarms.md"), "utf8");
  const namedIn = (files: string, pattern: RegExp) => [
    ...new Set(
      globSync(files, { cwd: root }).flatMap((file) =>
        [...readFileSync(path.join(root, file), "utf8").matchAll(pattern)].map(([, name = ""]) => name)
      ),
    ),
  ];

  it("has each code of an error that what deploys can end with", () => {
    const codes = namedIn("src/**/*.ts", /Error\(\s*"([A-Z0-9]+(?:_[A-Z0-9]+)+)"/g);
    expect(codes.length).toBeGreaterThan(20);
    // In one row for all.
    expect(codes.filter((code) => !code.endsWith("_UNREACHABLE") && !text.includes(`\`${code}\``))).toEqual([]);
  });

  it("has each alarm", () => {
    const alarms = namedIn("alarms.yml", /AlarmName: gumroad-auth0-\$\{sls:stage\}-([a-z0-9-]+)/g);
    expect(alarms.length).toBeGreaterThan(15);
    expect(alarms.filter((alarm) => !text.includes(`\`${alarm}\``))).toEqual([]);
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
