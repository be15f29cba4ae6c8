/** How big each function's bundle may grow: a cold start reads and compiles all of it before it answers. */

const KB = 1024;

/**
 * The most bytes a function's bundle may have, minified and not zipped. About 10 % above its size when it was last
 * looked at: room for a fix, not for a new library unseen.
 */
export const budgets: Readonly<Record<string, number>> = {
  // middy, qs, zod/mini, powertools, and the clients of SQS and Secrets Manager. Gumroad waits 5 s, cold start
  // included.
  ping: 370 * KB,
  // As ping, with the auth0 sub-clients and DynamoDB.
  provision: 610 * KB,
  // SQS, DynamoDB and Secrets Manager, with zod/mini.
  reconcile: 405 * KB,
  // As ping, with DynamoDB. Auth0's Action waits 900 ms for it.
  bind: 370 * KB,
  // 1.6 MB of it are the word lists of the strength meter, run by the first sign-up of a process and by nothing else.
  login: 2_150 * KB,
  // jose, DynamoDB and Secrets Manager.
  verify: 375 * KB,
  // jose and Secrets Manager.
  private: 295 * KB,
  // As verify, with SQS.
  claim: 435 * KB,
};
