import { describe, expect, it } from "@jest/globals";

import { stageOf } from "../../../scripts/bundling/stage.ts";

describe("the stage of a command line", () => {
  it.each([
    { args: [], stage: undefined },
    { args: ["--region", "eu-west-1"], stage: undefined },
    { args: ["--stage", "prod"], stage: "prod" },
    { args: ["--stage=prod"], stage: "prod" },
    { args: ["-s", "prod"], stage: "prod" },
    { args: ["--param", "alarmEmail=you@example.com", "--verbose", "--stage", "pr-12"], stage: "pr-12" },
  ])("$args gives $stage", ({ args, stage }) => {
    expect(stageOf(args)).toBe(stage);
  });

  it.each([{ args: ["--stage"] }, { args: ["--stage", "Prod"] }, { args: ["--stage", "a_b"] }, {
    args: ["--stage", "a".repeat(21)],
  }, { args: ["--stage="] }])("$args is refused in one line", ({ args }) => {
    expect(() => stageOf(args)).toThrow(
      expect.objectContaining({ code: "STAGE_INVALID",
        message: "--stage needs a name of lower-case letters, digits and hyphens, 20 at most, such as prod." }),
    );
  });
});
