import importX from "eslint-plugin-import-x";
import jsdoc from "eslint-plugin-jsdoc";
import tseslint from "typescript-eslint";

/** The rooms of src: each may import the ones named, itself, and what every room shares (errors, log, metrics). */
const ROOMS = {
  access: [],
  config: ["access"],
  gumroad: ["access"],
  auth0: ["access", "config"],
  dynamo: [],
  ledger: ["access", "dynamo"],
  queue: ["access", "gumroad"],
  http: ["config"],
  accounts: ["config", "dynamo", "http"],
  receiving: ["access", "config", "gumroad", "http", "queue"],
  provisioning: ["access", "auth0", "config", "gumroad", "ledger", "queue"],
  sweeping: ["access", "dynamo", "gumroad", "ledger", "provisioning", "queue"],
  "at-login": ["access", "config", "gumroad", "http", "ledger", "queue"],
};
const rooms = Object.keys(ROOMS);
const forbidden = (room) => ["functions", ...rooms].filter((other) => other !== room && !ROOMS[room].includes(other));

/**
 * Nothing that deploys knows the tool, the local stack, the emulators or the scripts; a package knows nothing of ours.
 */
const zones = [
  ...rooms.map((room) => ({
    target: `./src/${room}`,
    from: forbidden(room).map((other) => `./src/${other}`),
    message: `${room} may import ${ROOMS[room].join(", ") || "no other room"}: see eslint.config.js.`,
  })),
  {
    target: "./src",
    from: ["./cli", "./local", "./packages", "./scripts", "./tenant", "./tests"],
    message: "What deploys imports nothing but src.",
  },
  {
    target: "./packages",
    from: ["./src", "./cli", "./local", "./scripts", "./tenant", "./tests", "./fixtures"],
    message: "A package is useful by itself: it imports nothing of this project.",
  },
  { target: "./local", from: ["./cli", "./src/functions", "./tests"],
    message: "The local stack runs bundles, never a function's source." },
  { target: "./scripts", from: ["./src/functions", "./tests"],
    message: "Scripts build functions; they don't run them." },
  { target: "./cli", from: ["./src/functions", "./tests"], message: "The tool calls functions as everybody does." },
];

export default tseslint.config(
  { ignores: [".build/", ".serverless/", ".local/", "node_modules/", "coverage/"] },
  ...tseslint.configs.strict,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "import-x": importX },
    rules: {
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/only-throw-error": "error",
      eqeqeq: ["error", "always"],
      "no-console": "error",
      "no-warning-comments": "error",
      "import-x/no-restricted-paths": ["error", { zones }],
    },
  },
  {
    files: ["src/**/*.ts", "cli/**/*.ts", "local/**/*.ts", "scripts/**/*.ts", "packages/*/src/**/*.ts"],
    plugins: { jsdoc },
    rules: {
      "jsdoc/require-jsdoc": [
        "error",
        {
          publicOnly: true,
          checkConstructors: false,
          contexts: [
            "TSInterfaceDeclaration",
            "TSTypeAliasDeclaration",
            "ExportNamedDeclaration > VariableDeclaration",
          ],
          require: { FunctionDeclaration: true, ClassDeclaration: true, MethodDefinition: true },
        },
      ],
    },
  },
  {
    files: ["cli/**/*.ts", "local/**/*.ts", "scripts/**/*.ts", "tenant/actions/**/*.ts"],
    rules: { "no-console": "off" },
  },
  { files: ["tests/**/*.ts", "packages/*/tests/**/*.ts"],
    rules: { "@typescript-eslint/no-non-null-assertion": "off" } },
);
