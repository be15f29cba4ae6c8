import { stageOf } from "../../scripts/bundling/stage.ts";
import { LOCAL, type Stage } from "./stage.ts";

/**
 * Opens a stage by its name: `local` is the running `npm start`, any other a deployment in the shell's AWS account and
 * region. Only then are the AWS clients loaded.
 * @throws {ConfigError} STAGE_NOT_RUNNING, STAGE_NOT_DEPLOYED
 */
export async function openStage(name: string, env: NodeJS.ProcessEnv): Promise<Stage> {
  if (name === LOCAL) return (await import("./local.ts")).openLocalStage(env);
  return (await import("./deployed.ts")).openDeployedStage(name);
}

/**
 * Checks the name of a stage, which is part of every name on AWS.
 * @throws {ConfigError} STAGE_INVALID
 */
export function stageName(name: string): string {
  return stageOf([`--stage=${name}`]) ?? name;
}
