import { Auth0Client, GenericError } from "@auth0/auth0-spa-js";

import { type Account, claimsOf, rolesIn, type Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** What Auth0 says when a login is over, or nobody is logged in. All else, such as no network, says nothing of it. */
const OVER = new Set(["login_required", "interaction_required", "consent_required", "missing_refresh_token",
  "invalid_grant", "access_denied", "unauthorized"]);

/** Logs in with Auth0: code with PKCE, rotating refresh tokens, and a silent login where there is none. */
export function auth0Session({ domain, clientId, audience, rolesClaim }: Settings): Session {
  const here = `${location.origin}${location.pathname}`;
  const client = new Auth0Client({ domain, clientId, useRefreshTokens: true, useRefreshTokensFallback: true,
    authorizationParams: { redirect_uri: here, audience, scope: "openid profile email offline_access" } });

  async function account(cacheMode: "on" | "off"): Promise<Account | null> {
    const token = await client.getTokenSilently({ cacheMode }).catch((error: unknown) => {
      if (error instanceof GenericError && OVER.has(error.error)) return undefined;
      throw error;
    });
    const user = await client.getUser();
    if (token === undefined || user === undefined) return null;
    const claims = claimsOf(token);
    return { name: user.name ?? user.email ?? "you", email: user.email ?? null,
      emailVerified: user.email_verified === true, roles: rolesIn(claims[rolesClaim]),
      pending: claims[`${rolesClaim}_pending`] === true };
  }

  return {
    async begin() {
      const query = new URLSearchParams(location.search);
      if (!query.has("state") || !(query.has("code") || query.has("error"))) return account("on");
      history.replaceState(null, "", here);
      try {
        await client.handleRedirectCallback(`${here}?${query.toString()}`);
        return await account("on");
      } catch (error) {
        // A page that is loaded again, or stepped back to, finds its code used: whoever is logged in still is.
        const still = await account("on");
        if (still === null) throw error;
        return still;
      }
    },
    logIn: () => client.loginWithRedirect().then(() => false),
    logOut: () => client.logout({ logoutParams: { returnTo: here } }),
    forget: () => client.logout({ openUrl: false }),
    // A token holds the roles of when it was made.
    renew: () => account("off"),
    // Auth0 keeps the session and the refresh token for days.
    unseenMs: () => Infinity,
    token: async () => (await client.getTokenSilently()) ?? "",
  };
}
