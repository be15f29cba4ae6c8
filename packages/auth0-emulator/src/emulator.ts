import { createServer } from "node:http";

import { CallLog } from "emulator-server/call-log";
import type { Logged } from "emulator-server/call-log";
import { Faults } from "emulator-server/faults";
import type { Fault, FaultOptions } from "emulator-server/faults";
import { close, listen } from "emulator-server/json-server";
import { requestHandler } from "emulator-server/request-handler";
import type { Behaviour, Latency, OnCall } from "emulator-server/request-handler";
import { packSnapshot, type Snapshot, unpackSnapshot } from "emulator-server/snapshot";
import { tenantAdmin } from "./admin.ts";
import type { TenantAdmin } from "./admin.ts";
import { Applications } from "./applications.ts";
import { countsOf } from "./calls.ts";
import type { Auth0Call } from "./calls.ts";
import { loadContract } from "./contract.ts";
import { loginPages } from "./login/login-pages.ts";
import { ManagementApi } from "./management-api.ts";
import { managementOperations } from "./management.ts";
import { DEFAULT_CONNECTION, PASSWORDLESS_CONNECTION } from "./options.ts";
import type { Auth0EmulatorOptions } from "./options.ts";
import { RateLimiter } from "./rate-limit.ts";
import type { Limits } from "./rate-limit.ts";
import { Tenant } from "./tenant.ts";
import type { PasswordChangeTicket, PasswordMail, TenantState, VerificationMail } from "./tenant.ts";
import { tenantApi } from "./tenant-api.ts";
import { answerPasswordMail } from "./password-mail.ts";
import { answerTokenRequest } from "./token-endpoint.ts";
import { Tokens } from "./tokens.ts";

/** A running emulator. Everything can be changed while it runs. */
export interface Auth0Emulator extends TenantAdmin {
  /** E.g. `http://127.0.0.1:3001`; the Management API is below `/api/v2`. */
  readonly url: string;
  /** Every token and Management call, in the order they came. */
  readonly calls: readonly Logged<Auth0Call>[];
  /** Management calls, not counting the listing of the role names (`GET /roles`) and the token. */
  managementCalls(): number;
  /**
   * What the emulator itself did wrong, e.g. an answer that breaks Auth0's description. Tests should find it empty.
   */
  readonly failures: readonly string[];
  /** Verification mails that Auth0 would have sent. */
  readonly mails: readonly VerificationMail[];
  /** Change-password mails that Auth0 would have sent: invitations. */
  readonly passwordMails: readonly PasswordMail[];
  /** Password tickets made so far. */
  readonly tickets: readonly PasswordChangeTicket[];

  /** Makes all tokens issued so far invalid. */
  revokeTokens(): void;
  /** Gives the client another secret, and returns it. Issued tokens stay valid, as with Auth0. */
  rotateSecret(secret?: string): string;
  /** Changes the client's grant. Tokens issued before keep the scopes they have, as with Auth0. */
  setScopes(scopes: readonly string[]): void;

  /** Lets the client use a connection, or keeps it from that. */
  enableConnection(name: string, enabled: boolean): void;

  /** Changes the rate limits; the buckets start full. */
  setLimits(limits: Limits): void;
  /** Changes how long calls take. */
  setLatency(latency: Latency<Auth0Call>): void;
  /** Injects a fault. */
  fault(options: FaultOptions): Fault;
  /** Sets the hook, or takes it away. */
  onCall(hook: OnCall<Auth0Call> | undefined): void;

  /**
   * Back to how it was started: users, roles, mails, calls, faults, limits, client. Tokens stay valid and the first
   * roles keep their ids, so that processes that run on needn't start again.
   */
  reset(): void;
  /** Users, roles and mails as they are now. Tokens and sessions are no part of it. */
  snapshot(): Snapshot;
  /**
   * Back to how it was when a snapshot was taken, of this emulator or an earlier one; roles that it was started with
   * are there besides. Throws for what is no snapshot of an Auth0 emulator.
   */
  restore(snapshot: Snapshot): void;
  /** Breaks off what runs and frees the port. */
  stop(): Promise<void>;
}

/** Changes with what is kept. */
const SNAPSHOT = "auth0-emulator 1";

/**
 * Starts an emulator of one Auth0 tenant, in memory, on 127.0.0.1. Rejects with Node's error (`EADDRINUSE`) when the
 * port is taken.
 */
export async function startAuth0Emulator(options: Auth0EmulatorOptions = {}): Promise<Auth0Emulator> {
  const now = options.now ?? Date.now;
  const contract = await loadContract(options.deployment === true ? "deployment" : "services");
  const tokens = new Tokens(now);
  const limiter = new RateLimiter(options.limits ?? "none", now);
  const faults = new Faults();
  const log = new CallLog<Auth0Call>();
  const failures: string[] = [];
  const onFailure = (message: string): void => {
    failures.push(message);
  };
  const behaviour: Behaviour<Auth0Call> = { latency: options.latency ?? 0, onCall: options.onCall };
  let tenant = newTenant(options, now);
  let applications = new Applications(options);
  let url = "";

  const admin = tenantAdmin(() => tenant);
  const operations = managementOperations(() => tenant, () => applications, () => url);
  const management = new ManagementApi({ contract, operations, tokens, limiter, onFailure });
  const setLimits = (limits: Limits): void => {
    limiter.set(limits);
  };
  const reset = (): void => {
    tenant = newTenant(options, now);
    applications = new Applications(options);
    behaviour.latency = options.latency ?? 0;
    behaviour.onCall = options.onCall;
    limiter.set(options.limits ?? "none");
    faults.clear();
    log.clear();
    failures.length = 0;
  };

  const api = tenantApi({ contract, management, token: (body) => answerTokenRequest(body, applications, tokens),
    passwordMail: (body) => answerPasswordMail(body, applications, tenant),
    controls: { calls: () => ({ ...countsOf(log.calls), calls: log.calls }), users: admin.users,
      mails: () => allMails(tenant), setPlan: setLimits, reset },
    ...(options.login === undefined
      ? {}
      : { page: loginPages({ settings: options.login, tenant: () => tenant, url: () => url, now }) }), now,
    onFailure });
  const server = createServer(
    requestHandler({ api, faults, log, behaviour, wait: options.wait, frontPage: options.frontPage }),
  );
  url = await listen(server, options.port ?? 0);

  return { ...admin, url, get calls() {
    return log.calls;
  }, managementCalls: () => countsOf(log.calls).management, get failures() {
    return failures;
  }, get mails() {
    return tenant.mails;
  }, get passwordMails() {
    return tenant.passwordMails;
  }, get tickets() {
    return tenant.tickets;
  }, revokeTokens() {
    tokens.revokeAll();
  }, rotateSecret(secret = `${applications.service.secret}-rotated`) {
    applications.service.secret = secret;
    return secret;
  }, setScopes(scopes) {
    applications.service.scopes = [...scopes];
  }, enableConnection(name, enabled) {
    applications.enable(name, applications.service.id, enabled);
  }, setLimits, setLatency(latency) {
    behaviour.latency = latency;
  }, fault: (fault) => faults.add(fault), onCall(hook) {
    behaviour.onCall = hook;
  }, reset, snapshot: () => packSnapshot(SNAPSHOT, tenant.state()), restore(snapshot) {
    const state = unpackSnapshot<TenantState>(SNAPSHOT, snapshot);
    tenant = newTenant(options, now);
    tenant.restore(state);
  }, stop: () => close(server) };
}

function allMails({ mails, passwordMails }: Tenant): readonly unknown[] {
  const all = [...mails.map((mail) => ({ kind: "verification", ...mail })),
    ...passwordMails.map((mail) => ({ kind: "password", ...mail }))];
  return all.sort((a, b) => a.at - b.at).map((mail) => ({ ...mail, at: new Date(mail.at).toISOString() }));
}

function newTenant(options: Auth0EmulatorOptions, now: () => number): Tenant {
  const connections = options.connections ??
    [DEFAULT_CONNECTION, PASSWORDLESS_CONNECTION].map((name) => ({ name,
      strategy: name === DEFAULT_CONNECTION ? "auth0" : "email" })
    );
  return new Tenant(connections, options.roles ?? [], now, options.welcomes ?? (() => false));
}
