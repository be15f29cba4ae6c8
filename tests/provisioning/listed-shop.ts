import { TemporaryError } from "../../src/errors.ts";
import type { GumroadApi } from "../../src/gumroad/api.ts";
import { saleShape, type SaleRow } from "../../src/gumroad/rows.ts";
import { JAN_5 } from "../access/purchases.ts";

/** Gumroad's API of a shop, without a wire: it shows what a test has it show. */
export type ListedShop = ReturnType<typeof listedShop>;

/** A shop without a sale. `onCall` is told of each call. */
export function listedShop(onCall: () => void = () => undefined) {
  const rows = new Map<string, SaleRow>();
  let isAway = false;
  async function reached<T>(answer: T): Promise<T> {
    onCall();
    if (isAway) throw new TemporaryError("GUMROAD_UNREACHABLE", "away");
    return Promise.resolve(answer);
  }
  const none = { rows: [], next: null };
  const api: GumroadApi = { sellerId: async () => reached("seller"), sale: async (id) => reached(rows.get(id) ?? null),
    sales: async ({ email }) => reached({ ...none, rows: [...rows.values()].filter((row) => row.email === email) }),
    subscribers: async () => reached(none), contents: async () => reached(["book"]), subscriber: async (id) => {
      const sales = [...rows.values()].filter(({ subscriptionId }) => subscriptionId === id);
      const [first] = sales;
      return reached(
        first === undefined
          ? null
          : { id, productId: first.productId, status: "alive", cancelledAt: null, ended: sales.some(({ dead }) =>
              dead
            )
            ? { at: JAN_5 + 86_400_000, reason: "cancelled" }
            : null, saleIds: sales.map((sale) => sale.id) },
      );
    } };
  return { api, away: (is: boolean) => {
    isAway = is;
  }, show: (id: string, email: string, fields: object) => {
    rows.set(id,
      saleShape.parse({ id, purchase_email: email, created_at: new Date(JAN_5).toISOString(), price: 900,
        ...fields }));
  } };
}
