/** Where this page logs people in, and whom it asks for lessons. */
export interface Settings {
  /** The tenant's domain, or its URL. */
  readonly domain: string;
  readonly clientId: string;
  /** The service's API: where `/private/{role}` is. */
  readonly api: string;
  /** The API's identifier at Auth0. */
  readonly audience: string;
  /** The claim of the access token that holds the roles. */
  readonly rolesClaim: string;
  /** Where a course is bought: its slug is put after this. */
  readonly shop: string;
}

declare global {
  interface Window {
    /** What settings.js says. */
    COURSES?: Partial<Settings>;
  }
}

/** What settings.js says, and what follows from it. */
export function settingsOf({ domain = "", clientId = "", api = "", ...more }: Partial<Settings>): Settings {
  return { domain, clientId, api, audience: api, rolesClaim: `${api}/roles`, shop: "https://gumroad.com/l/", ...more };
}
