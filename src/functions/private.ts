/** GET /private and GET /private/{role}: what only a logged-in user gets, with our own tokens or Auth0's. */
import { privateCall } from "../accounts/authorize.ts";
import { acceptedTokens, tokenSettings } from "../accounts/settings.ts";
import { httpHandler } from "../http/handler.ts";
import { lessons } from "../lessons.ts";

/** The Lambda. The role in the path is the one the caller needs. */
export const handler = httpHandler(privateCall(acceptedTokens(tokenSettings()), lessons));
