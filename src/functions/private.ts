/** GET /private and GET /private/{role}: what only a logged-in user gets, with our own tokens or Auth0's. */
import { createAuth0Verifier } from "../accounts/auth0-tokens.ts";
import { authorize } from "../accounts/authorize.ts";
import { privateCall } from "../accounts/calls.ts";
import { anyIssuer, type VerifyToken } from "../accounts/identity.ts";
import { auth0Settings, tokenSettings } from "../accounts/settings.ts";
import { createTokens } from "../accounts/tokens.ts";
import { httpHandler } from "../http/handler.ts";

const settings = tokenSettings();
const issuers = new Map<string, VerifyToken>([[settings.issuer, createTokens(settings).verify]]);
// Here, at module scope: it keeps Auth0's keys from one request to the next.
const auth0 = auth0Settings();
if (auth0 !== undefined) issuers.set(auth0.issuer, createAuth0Verifier(auth0));

/** The Lambda. The role in the path is the one the caller needs. */
export const handler = httpHandler(privateCall).use(
  authorize({ verify: anyIssuer(issuers), anyRole: ({ pathParameters }) => {
    const role = pathParameters?.["role"];
    return role === undefined ? [] : [role];
  } }),
);
