import { notFound, success } from "./answer.ts";
import { pageOf } from "./pages.ts";
import type { Listed } from "./pages.ts";
import type { Route } from "./routes.ts";
import type { Seeds, SeededSubscriber } from "./seeds.ts";
import type { Shop } from "./shop.ts";
import { subscriberJson } from "./subscriber-json.ts";
import { isActive } from "./subscription.ts";

const PER_PAGE = 100;
const ACTIVE: readonly SeededSubscriber["status"][] = ["alive", "pending_cancellation", "pending_failure"];

/** `GET /products/:id/subscribers`, which lists the active ones, and `GET /subscribers/:id`. */
export function subscribersRoutes(shop: () => Shop, seeds: () => Seeds): Route[] {
  return [
    { method: "GET", path: "/products/:id/subscribers", scope: "view_sales", answer: ({ id, parameters, path }) => {
      const product = shop().findProduct(id);
      const rows = listed(shop(), seeds(), product?.id ?? id, parameters.get("email")?.trim());
      if (product === undefined && rows.length === 0) return notFound("product");
      const paginated = ["1", "true"].includes(parameters.get("paginated") ?? "") || parameters.has("page_key");
      const page = pageOf(rows, paginated ? PER_PAGE : Infinity, path, parameters);
      return success({ subscribers: page.rows, ...page.next });
    } },
    { method: "GET", path: "/subscribers/:id", scope: "view_sales", answer: ({ id }) => {
      const subscription = shop().subscriptions.get(id);
      const row = seeds().subscribers.get(id) ??
        (subscription === undefined ? undefined : subscriberJson(shop(), subscription));
      return row === undefined ? notFound("subscriber") : success({ subscriber: row });
    } },
  ];
}

function listed(shop: Shop, seeds: Seeds, productId: string, email: string | undefined): Listed[] {
  const own = [...shop.subscriptions.values()]
    .filter((subscription) =>
      subscription.productId === productId && isActive(subscription, shop.now()) &&
      !seeds.subscribers.has(subscription.id)
    )
    .filter((subscription) =>
      email === undefined || email === "" || shop.salesOf(subscription).some((sale) => sale.email === email)
    )
    .map((subscription) => ({ createdAt: subscription.createdAt, number: subscription.sequence,
      json: () => subscriberJson(shop, subscription) })
    );
  const seeded = [...seeds.subscribers.values()]
    .filter((row) => row.product_id === productId && ACTIVE.includes(row.status))
    .filter((row) => email === undefined || email === "" || row["email"] === email || row["user_email"] === email)
    .map((row, place) => ({ createdAt: Date.parse(row.created_at), number: place + 1, json: () => row }));
  return [...own, ...seeded];
}
