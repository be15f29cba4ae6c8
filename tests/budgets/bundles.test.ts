import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "@jest/globals";

import type { FunctionBundle } from "../../scripts/bundling/bundle.ts";
import { projectRoot } from "../../scripts/project-root.ts";
import { BIG_KB, modules, type Room, rooms } from "./libraries.ts";

// As tests/bundle-once.mjs made them.
const bundles: readonly FunctionBundle[] = JSON.parse(
  readFileSync(path.join(projectRoot, ".build/tests.json"), "utf8"),
);

/** What no line of the table allows, each with the bundle's name and the library's. */
function tooBig(table: Readonly<Record<string, Room>>, built: readonly Pick<FunctionBundle, "name" | "libraries">[]) {
  return built.flatMap(({ name, libraries }) =>
    Object.entries(libraries).flatMap(([library, bytes]) => {
      const kb = bytes / 1024;
      const room = table[library];
      const allowed = room?.in.includes(name) === true ? room.kb : BIG_KB;
      return kb <= allowed ? [] : [`${name} holds ${String(Math.ceil(kb))} KB of ${library}`];
    })
  );
}

describe("a library of over 20 KB in a bundle", () => {
  it("has a line that says what it is there for, and is no bigger than that allows", () => {
    expect(tooBig(rooms, bundles)).toEqual([]);
  });

  it("that is new is told by its name, and so is one that grew or came to another bundle", () => {
    const libraries = { heavy: 300 * 1024, qs: 24 * 1024, light: 1_024 };
    expect(tooBig(rooms, [{ name: "ping", libraries }, { name: "bind", libraries: { qs: 21 * 1024 } }])).toEqual([
      "ping holds 300 KB of heavy",
      "ping holds 24 KB of qs",
      "bind holds 21 KB of qs",
    ]);
  });

  it("has no line where no bundle holds it any more", () => {
    const held = new Set(bundles.flatMap(({ libraries }) => Object.keys(libraries)));
    expect(Object.keys(rooms).filter((library) => !held.has(library))).toEqual([]);
  });
});

describe("the source files that a start loads", () => {
  it.each(bundles.map(({ name, inputs }) => ({ name, count: inputs.length })))("are few enough in $name",
    ({ name, count }) => {
      expect(count).toBeLessThanOrEqual(modules[name] ?? 0);
    });
});
