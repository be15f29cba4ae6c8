import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

import { verifyCall } from "../accounts/renew.ts";
import { tokenSettings } from "../accounts/settings.ts";
import { createTokens } from "../accounts/tokens.ts";
import { accountsTable, findUser } from "../accounts/users.ts";
import { linkedRoles, readLedger } from "../claims/linked.ts";
import { awsLimits } from "../config/aws.ts";
import { requiredSetting } from "../config/settings.ts";
import { httpHandler } from "../http/handler.ts";
import { ledgerTable } from "../ledger/keys.ts";
import policy from "../products.ts";

const dynamo = new DynamoDBClient(awsLimits({ connectMs: 500, requestMs: 1_000, attempts: 2 }));
const accounts = accountsTable(dynamo, requiredSetting("ACCOUNTS_TABLE"));
const ledger = readLedger(ledgerTable(dynamo, requiredSetting("LEDGER_TABLE")));

/** `POST /verify`: whether a token of the self-built login is good, and a new one with today's roles. */
export const handler = httpHandler(
  verifyCall({ tokens: createTokens(tokenSettings()), users: { find: (username) => findUser(accounts, username) },
    rolesOf: linkedRoles({ ledger, policy }) }),
);
