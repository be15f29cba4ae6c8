import { Auth0Client } from "@auth0/auth0-spa-js";

import { type Account, claimsOf, rolesIn, type Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** Logs in with Auth0: code with PKCE, rotating refresh tokens, and a silent login where there is none. */
export function auth0Session({ domain, clientId, audience, rolesClaim }: Settings): Session {
  const here = `${location.origin}${location.pathname}`;
  const client = new Auth0Client({ domain, clientId, useRefreshTokens: true, useRefreshTokensFallback: true,
    authorizationParams: { redirect_uri: here, audience, scope: "openid profile email offline_access" } });

  async function account(cacheMode: "on" | "off"): Promise<Account | null> {
    // Nobody logged in, or no longer: Auth0 answers with an error.
    const token = await client.getTokenSilently({ cacheMode }).catch(() => undefined);
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
      if (query.has("state") && (query.has("code") || query.has("error"))) {
        history.replaceState(null, "", here);
        await client.handleRedirectCallback(`${here}?${query.toString()}`);
      }
      return account("on");
    },
    logIn: () => client.loginWithRedirect(),
    logOut: () => client.logout({ logoutParams: { returnTo: here } }),
    // A token holds the roles of when it was made.
    renew: () => account("off"),
    token: async () => (await client.getTokenSilently()) ?? "",
  };
}
