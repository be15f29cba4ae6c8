// `npm run --silent accounts-secret`: prints a new value for the secret `gumroad-auth0/{stage}/accounts`.
import { newAccountsSecret } from "./new-accounts-secret.ts";

process.stdout.write(`${JSON.stringify(await newAccountsSecret())}\n`);
