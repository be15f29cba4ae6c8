import * as z from "zod";

import type { Auth0Emulator } from "auth0-emulator";
import { LOCAL_CLIENT } from "../../local/known-values.ts";

/** Somebody changes a login's address at Auth0, and proves it. */
export async function changeEmail({ url }: Pick<Auth0Emulator, "url">, userId: string, email: string,
  secret = LOCAL_CLIENT.secret): Promise<void> {
  const headers = { "content-type": "application/json" };
  const asked = await fetch(`${url}/oauth/token`, { method: "POST", headers,
    body: JSON.stringify({ grant_type: "client_credentials", client_id: LOCAL_CLIENT.id, client_secret: secret,
      audience: `${url}/api/v2/` }) });
  const { access_token: token } = z.object({ access_token: z.string() }).parse(await asked.json());
  const answer = await fetch(`${url}/api/v2/users/${encodeURIComponent(userId)}`, { method: "PATCH",
    headers: { ...headers, authorization: `Bearer ${token}` },
    body: JSON.stringify({ email, email_verified: true, verify_email: false }) });
  if (answer.status !== 200) throw new Error(`Auth0 refused the address: ${await answer.text()}`);
}
