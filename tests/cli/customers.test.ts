import { describe, expect, it } from "@jest/globals";

import { customersIn } from "../../cli/acting/customers.ts";
import { customersFiles } from "./customers-file.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");

const write = customersFiles();

describe("a file of customers", () => {
  it("is CSV with a head, in any order of columns, with quotes, blanks and a byte order mark", () => {
    const file = write(
      '\ufeffRole,Email,note,until\nclub, Ann@Example.com ,"bought, long ago",2026-12-31\n\n' +
        "masterclass,bo@example.com,,\n",
    );
    expect(customersIn(file, NOW)).toEqual([
      { line: 2, buyer: "ann@example.com", role: "club", until: Date.parse("2027-01-01T00:00:00Z"),
        note: "bought, long ago" },
      { line: 4, buyer: "bo@example.com", role: "masterclass", until: null, note: "" },
    ]);
  });

  it.each([
    ["email,role\nann,club\nbo@example.com,\ncy@example.com,club\nCY@example.com,club\n", [
      'line 2: "ann" is no email',
      "line 3: no role",
      "line 5: cy@example.com is to have club by line 4 already",
    ]],
    ["email,role,until\nann@example.com,club,2020-01-01\nann@example.com,x,soon\n", [
      "line 2: until 2020-01-01 is over already",
      'line 3: until "soon" is no day',
    ]],
    ["email,until\nann@example.com,2027-01-01\n", ["it lacks role"]],
    ["email,role,price\nann@example.com,club,1\n", ["it has price"]],
    ["email,role\nann@example.com,club,extra\n", ["on line 2"]],
    ["email,role\n", ["it has no rows"]],
  ])("that is wrong is refused as a whole, with the line of each mistake: %j", (text, problems) => {
    for (const problem of problems) expect(() => customersIn(write(text), NOW)).toThrow(problem);
  });

  it("that isn't there is said to be so", () => {
    expect(() => customersIn("tests/cli/none.csv", NOW)).toThrow("can't be read as CSV: ENOENT");
  });
});
