import importX from "eslint-plugin-import-x";
import jsdoc from "eslint-plugin-jsdoc";
import tseslint from "typescript-eslint";

/**
 * Which room may import which. Each entry: what stands in `target` must not import from `from`.
 * functions, cli -> sweeping -> provisioning -> (gumroad, ledger, auth0) -> access; nothing imports functions, emulators or cli.
 */
const rooms = (target, from, message) => ({ target: `./src/${target}`, from: from.map((room) => `./src/${room}`), message });
const everyRoomBut = (...kept) =>
  ["access", "accounts", "auth0", "binding", "bundling", "cli", "config", "emulators", "functions", "gumroad", "http", "ledger", "provisioning", "queue", "receiving", "sweeping"].filter(
    (room) => !kept.includes(room),
  );

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
    },
  },
  {
    files: ["src/**/*.ts"],
    plugins: { jsdoc },
    rules: {
      "jsdoc/require-jsdoc": [
        "error",
        {
          publicOnly: true,
          checkConstructors: false,
          contexts: ["TSInterfaceDeclaration", "TSTypeAliasDeclaration", "ExportNamedDeclaration > VariableDeclaration"],
          require: { FunctionDeclaration: true, ClassDeclaration: true, MethodDefinition: true },
        },
      ],
      "import-x/no-restricted-paths": [
        "error",
        {
          zones: [
            rooms("access", everyRoomBut("access"), "access is the pure heart: it imports nothing of ours."),
            rooms("gumroad", everyRoomBut("gumroad", "access"), "gumroad is the wire: it knows nothing of Auth0 or AWS."),
            rooms("ledger", everyRoomBut("ledger", "access", "config"), "ledger stores records; it decides nothing."),
            rooms("auth0", everyRoomBut("auth0", "access", "config"), "auth0 knows users and roles, not purchases."),
            rooms("queue", everyRoomBut("queue", "access", "gumroad"), "queue carries messages; it knows neither end."),
            rooms("provisioning", ["receiving", "sweeping", "functions", "emulators", "cli", "bundling", "http", "accounts"], "provisioning is called; it calls no edge."),
            rooms("sweeping", everyRoomBut("sweeping", "access", "gumroad", "ledger", "provisioning", "queue"), "sweeping finds what differs; provisioning alone changes it."),
            rooms("binding", everyRoomBut("binding", "access", "config", "gumroad", "http", "ledger", "queue"), "binding reads and tells; provisioning alone changes."),
            rooms("accounts", everyRoomBut("accounts", "config", "http"), "accounts stands beside the pipeline."),
            rooms("http", everyRoomBut("http", "config"), "http serves every function; it knows none."),
            rooms("config", everyRoomBut("config", "access"), "config knows settings, secrets and the policy's shape, no room."),
            rooms("receiving", ["functions", "emulators", "cli", "bundling", "accounts", "auth0", "ledger", "provisioning", "sweeping"], "receiving answers before anything slow: no Auth0, no DynamoDB."),
            rooms("bundling", ["functions", "emulators", "cli"], "bundling builds the functions; it doesn't run them."),
            rooms("emulators", ["functions", "cli"], "emulators run bundles, never a function's source."),
            rooms("functions", ["functions", "emulators", "cli", "bundling"], "a function is an entry; nothing but its rooms goes in."),
          ],
        },
      ],
    },
  },
  { files: ["src/cli/**/*.ts", "src/emulators/**/*.ts", "tenant/actions/**/*.ts"], rules: { "no-console": "off" } },
  { files: ["tests/**/*.ts"], rules: { "@typescript-eslint/no-non-null-assertion": "off" } },
);
