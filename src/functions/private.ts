import { privateCall } from "../accounts/authorize.ts";
import { acceptedTokens, tokenSettings } from "../accounts/settings.ts";
import { httpHandler } from "../http/handler.ts";
import { lessons } from "../lessons.ts";

/** `GET /private`, `GET /private/{role}`: for who is logged in, by our tokens or Auth0's, and has the role. */
export const handler = httpHandler(privateCall(acceptedTokens(tokenSettings()), lessons));
