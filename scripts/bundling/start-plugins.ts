/** esbuild plugins that make the start of every function shorter. */
import { builtinModules } from "node:module";

import type { Plugin } from "esbuild";

const BUILT_IN = "built-in";

/**
 * Node's own modules by `require` instead of `import`, and only those that are used. Importing one reads everything it
 * exports, and `node:http` exports getters that load the whole of undici: 15 to 20 ms of a start.
 */
export const requiredBuiltIns: Plugin = { name: "required-built-ins", setup: (building) => {
  building.onResolve({ filter: /^(node:)?[a-z_\d/]+$/, namespace: "file" },
    ({ path, kind }) =>
      (kind === "import-statement" || kind === "dynamic-import") && builtinModules.includes(path.replace("node:", ""))
        ? { path, namespace: BUILT_IN, sideEffects: false }
        : undefined);
  building.onLoad({ filter: /^/, namespace: BUILT_IN },
    ({ path }) => ({ contents: `module.exports = require(${JSON.stringify(path)});`, loader: "js" }));
} };

/**
 * Credentials from the environment, where Lambda puts them, and from nowhere else: what looks for them in files, SSO,
 * STS and the metadata of other machines is a quarter of a bundle, and 10 ms of its start.
 */
export const credentialsOfLambda: Plugin = { name: "credentials-of-lambda", setup: (building) => {
  building.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ },
    ({ path, resolveDir }) => ({ path, namespace: "lambda", pluginData: resolveDir }));
  building.onLoad({ filter: /^/, namespace: "lambda" },
    ({ pluginData: resolveDir }: { readonly pluginData: string }) => ({
      contents: 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";',
      resolveDir,
    }));
} };
