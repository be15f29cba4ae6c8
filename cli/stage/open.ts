import { stageOf } from "../../scripts/bundling/stage.ts";
import { openDeployedStage } from "./deployed.ts";
import { openLocalStage } from "./local.ts";
import { LOCAL, type Stage } from "./stage.ts";

/**
 * Opens a stage by its name: `local` is the running `npm start`, any other a deployment in the shell's AWS account and
 * region.
 * @throws {ConfigError} STAGE_NOT_RUNNING, STAGE_NOT_DEPLOYED
 */
export async function openStage(name: string, env: NodeJS.ProcessEnv): Promise<Stage> {
  return name === LOCAL ? openLocalStage(env) : openDeployedStage(name);
}

/**
 * Checks the name of a stage, which is part of every name on AWS.
 * @throws {ConfigError} STAGE_INVALID
 */
export function stageName(name: string): string {
  return stageOf([`--stage=${name}`]) ?? name;
}
