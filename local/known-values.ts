/** The token in the local ping URL, while nothing real hangs on it. */
export const LOCAL_TOKEN = "local";
/** The emulated tenant's application. */
export const LOCAL_CLIENT = { id: "local-client", secret: "local-secret" };
