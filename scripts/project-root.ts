import path from "node:path";

/** The folder that holds serverless.yml, src and .build. */
export const projectRoot = path.resolve(import.meta.dirname, "..");
