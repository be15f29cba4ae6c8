/** POST /verify: whether a token of the self-built login is good. */
import { verifyCall } from "../accounts/calls.ts";
import { tokenSettings } from "../accounts/settings.ts";
import { createTokens } from "../accounts/tokens.ts";
import { httpHandler } from "../http/handler.ts";

const { verify } = createTokens(tokenSettings());

/** The Lambda. */
export const handler = httpHandler(verifyCall(verify));
