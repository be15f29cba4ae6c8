import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import { passwordCall } from "../accounts/change-password.ts";
import { loginCall } from "../accounts/log-in.ts";
import { createPasswords } from "../accounts/password.ts";
import { signUpSetting, tokenSettings } from "../accounts/settings.ts";
import { createThrottle } from "../accounts/throttle.ts";
import { createTokens } from "../accounts/tokens.ts";
import { accountsTable, createUsers } from "../accounts/users.ts";
import { linkedRoles, readLedger } from "../claims/linked.ts";
import { awsLimits } from "../config/aws.ts";
import { requiredSetting } from "../config/settings.ts";
import { httpHandler } from "../http/handler.ts";
import { ledgerTable } from "../ledger/keys.ts";
import policy from "../products.ts";

const settings = tokenSettings();
const dynamo = new DynamoDBClient(awsLimits({ connectMs: 500, requestMs: 1_000, attempts: 3 }));
const table = accountsTable(dynamo, requiredSetting("ACCOUNTS_TABLE"));
const dependencies = { users: createUsers(table), throttle: createThrottle({ table }),
  passwords: createPasswords({ secret: settings.secret }), tokens: createTokens(settings),
  rolesOf: linkedRoles({ ledger: readLedger(ledgerTable(dynamo, requiredSetting("LEDGER_TABLE"))), policy }),
  signUp: signUpSetting() };
const logIn = loginCall(dependencies);
const changePassword = passwordCall(dependencies);

/** `POST /login`: the self-built login, and sign-up at the first one. `POST /password`: another password. */
export const handler = httpHandler(async (event, context) => {
  // First of all: while the login is off, nothing is counted or looked up.
  await settings.secret.get();
  return (event.routeKey === "POST /password" ? changePassword : logIn)(event, context);
});
