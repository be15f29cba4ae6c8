import type { LoginSettings } from "auth0-emulator/login/application";
import { compiledAction } from "../scripts/tenant-build.ts";
import { LOGIN_ACTION } from "../tenant/tenant.ts";

/** The courses page's application at the emulated Auth0, and the API that its tokens are for. */
export const COURSES = { clientId: "local-courses", audience: "https://courses.local",
  rolesClaim: "https://courses.local/roles", path: "/courses/" } as const;

/** The tenant as tenant/ sets it up, for the courses page at this address: its application, its API, its Action. */
export async function localLogin(apiUrl: string, bindToken: string): Promise<LoginSettings> {
  const page = `${apiUrl}${COURSES.path}`;
  return {
    applications: [{ clientId: COURSES.clientId, name: "Courses", callbacks: [page], logoutUrls: [page],
      origins: [apiUrl], url: page }],
    apis: [{ identifier: COURSES.audience, tokenSeconds: 3_600 }],
    actions: [{ name: LOGIN_ACTION, code: await compiledAction(),
      secrets: { ROLES_CLAIM: COURSES.rolesClaim, BIND_URL: `${apiUrl}/bind`, BIND_TOKEN: bindToken } }],
  };
}

/** What tells `private` to take the emulated tenant's access tokens. */
export function auth0TokensOf(auth0Url: string): Record<string, string> {
  return { AUTH0_ISSUER: `${auth0Url}/`, AUTH0_AUDIENCE: COURSES.audience, ROLES_CLAIM: COURSES.rolesClaim };
}
