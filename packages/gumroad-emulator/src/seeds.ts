import * as z from "zod";

const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)), "is no time such as 2026-01-05T19:38:56Z");

const SaleRow = z.looseObject({ id: z.string().min(1), product_id: z.string().min(1), created_at: moment,
  order_id: z.number().int().positive().optional(), email: z.string().optional(),
  purchase_email: z.string().optional(), is_gift_receiver_purchase: z.boolean().optional(),
  is_preorder_authorization: z.boolean().optional() });

const SubscriberRow = z.looseObject({ id: z.string().min(1), product_id: z.string().min(1), created_at: moment,
  status: z.enum(["alive", "pending_cancellation", "pending_failure", "cancelled", "failed_payment",
    "fixed_subscription_period_ended"]) });

/** Rows as the API shows them. A row of an id that is there stands in its place. */
export const SeedRows = z.strictObject({
  /** Sales that are listed too, unless they are a gift's receiver's or a preorder's authorization. */
  sales: z.array(SaleRow).optional(),
  /** Sales that can be read but aren't listed: test purchases, which a row doesn't tell. */
  unlistedSales: z.array(SaleRow).optional(),
  subscribers: z.array(SubscriberRow).optional(),
  /** Names of the pings that these rows go with. Only remembered, for whoever puts in more later. */
  pings: z.array(z.string()).optional(),
});

/** What is put in directly. */
export type Seed = z.input<typeof SeedRows>;

/** A sale's row put in directly, with what listings sort and filter by. */
export interface SeededSale {
  readonly row: z.infer<typeof SaleRow>;
  readonly listed: boolean;
}

/** A subscriber's row put in directly. */
export type SeededSubscriber = z.infer<typeof SubscriberRow>;

/** What is kept of rows put in. */
export interface SeedsState {
  readonly sales: ReadonlyMap<string, SeededSale>;
  readonly subscribers: ReadonlyMap<string, SeededSubscriber>;
  readonly pings: ReadonlySet<string>;
}

/** Rows of the API that no act made. */
export class Seeds {
  readonly sales = new Map<string, SeededSale>();
  readonly subscribers = new Map<string, SeededSubscriber>();
  readonly pings = new Set<string>();

  /** All that was put in. */
  state(): SeedsState {
    return { sales: this.sales, subscribers: this.subscribers, pings: this.pings };
  }

  /** Adds what another was given. */
  restore({ sales, subscribers, pings }: SeedsState): void {
    for (const [id, sale] of sales) this.sales.set(id, sale);
    for (const [id, subscriber] of subscribers) this.subscribers.set(id, subscriber);
    for (const ping of pings) this.pings.add(ping);
  }

  /** Puts rows in. Throws a ZodError for rows that the API could not show. */
  add(seed: unknown): void {
    const { sales = [], unlistedSales = [], subscribers = [], pings = [] } = SeedRows.parse(seed);
    for (const row of sales) {
      this.sales.set(row.id, { row,
        listed: row.is_gift_receiver_purchase !== true && row.is_preorder_authorization !== true });
    }
    for (const row of unlistedSales) this.sales.set(row.id, { row, listed: false });
    for (const row of subscribers) this.subscribers.set(row.id, row);
    for (const ping of pings) this.pings.add(ping);
  }
}
