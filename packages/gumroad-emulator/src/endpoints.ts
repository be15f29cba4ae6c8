import type { Ids } from "./ids.ts";
import { RESOURCE_NAMES } from "./shop.ts";
import type { ResourceName } from "./shop.ts";
import type { AccessTokens } from "./access-tokens.ts";

/** A URL registered for one event with `PUT /v2/resource_subscriptions`. */
export interface ResourceSubscription {
  readonly id: string;
  readonly resourceName: ResourceName;
  readonly postUrl: string;
  /** The application whose token registered it. */
  readonly application: string;
}

/** Which URL receives what. */
export class Endpoints {
  /** Settings → Advanced → Ping; receives `sale` only. */
  pingUrl: string | undefined;
  readonly #ids: Ids;
  readonly #tokens: AccessTokens;
  #registered: ResourceSubscription[] = [];

  constructor(ids: Ids, tokens: AccessTokens, pingUrl: string | undefined) {
    this.#ids = ids;
    this.#tokens = tokens;
    this.pingUrl = pingUrl;
  }

  /**
   * Where an event's ping goes: to each registration whose application has a live token with `view_sales`, then to the
   * Ping URL.
   */
  urlsFor(event: ResourceName): string[] {
    const urls = this.#registered
      .filter(({ resourceName, application }) =>
        resourceName === event && this.#tokens.hasLive(application, "view_sales")
      )
      .map(({ postUrl }) => postUrl);
    return event === "sale" && this.pingUrl !== undefined ? [...urls, this.pingUrl] : urls;
  }

  /** Registers a URL. Twice is twice: each ping then comes twice. */
  register(resourceName: ResourceName, postUrl: string, application: string): ResourceSubscription {
    const registered = { id: this.#ids.next(), resourceName, postUrl, application };
    this.#registered.push(registered);
    return registered;
  }

  /** The registrations for one event. */
  registered(resourceName: ResourceName): ResourceSubscription[] {
    return this.#registered.filter((known) => known.resourceName === resourceName);
  }

  /** Removes a registration of this application; false if it has none of this id. */
  remove(id: string, application: string): boolean {
    const before = this.#registered.length;
    this.#registered = this.#registered.filter((known) => known.id !== id || known.application !== application);
    return this.#registered.length < before;
  }
}

/** Whether a text names one of the eight events. */
export function isResourceName(text: string | undefined): text is ResourceName {
  return RESOURCE_NAMES.some((known) => known === text);
}
