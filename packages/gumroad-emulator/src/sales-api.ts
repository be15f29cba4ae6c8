import { badRequest, notFound, success } from "./answer.ts";
import { pageOf } from "./pages.ts";
import type { Listed } from "./pages.ts";
import type { Route } from "./routes.ts";
import { saleJson } from "./sale-json.ts";
import { isListed } from "./sale.ts";
import type { Seeds } from "./seeds.ts";
import type { Shop } from "./shop.ts";

const PER_PAGE = 10;

/** `GET /sales` and `GET /sales/:id`. */
export function salesRoutes(shop: () => Shop, seeds: () => Seeds): Route[] {
  return [
    { method: "GET", path: "/sales", scope: "view_sales", answer: ({ parameters, path }) => {
      const page = pageOf(filtered(listedSales(shop(), seeds()), parameters), PER_PAGE, path, parameters);
      return success({ sales: page.rows, ...page.next });
    } },
    { method: "GET", path: "/sales/:id", scope: "view_sales", answer: ({ id }) => {
      const sale = shop().sales.get(id);
      const row = seeds().sales.get(id)?.row ?? (sale === undefined ? undefined : saleJson(shop(), sale));
      return row === undefined ? notFound("sale") : success({ sale: row });
    } },
  ];
}

interface ListedSale extends Listed {
  readonly productId: string;
  readonly email: string;
  readonly orderNumber: number;
}

function listedSales(shop: Shop, seeds: Seeds): ListedSale[] {
  const own = [...shop.sales.values()]
    .filter((sale) => isListed(sale) && !seeds.sales.has(sale.id))
    .map((sale) => ({ createdAt: sale.createdAt, number: sale.orderNumber, productId: sale.productId,
      email: sale.email, orderNumber: sale.orderNumber, json: () => saleJson(shop, sale) })
    );
  const seeded = [...seeds.sales.values()]
    .filter(({ listed }) => listed)
    .map(({ row }, place) => ({ createdAt: Date.parse(row.created_at), number: row.order_id ?? place + 1,
      productId: row.product_id, email: row.purchase_email ?? row.email ?? "", orderNumber: row.order_id ?? place + 1,
      json: () => row })
    );
  return [...own, ...seeded];
}

function filtered(sales: ListedSale[], parameters: ReadonlyMap<string, string>): ListedSale[] {
  const given = (name: string): string | undefined => {
    const value = parameters.get(name)?.trim();
    return value === "" ? undefined : value;
  };
  // Gumroad still takes it, and gives up past some pages with these words; here it does at once.
  if (parameters.has("page")) {
    throw badRequest(
      "The 'page' parameter is deprecated. Please use 'page_key' instead: https://gumroad.com/api#sales",
    );
  }
  const after = dayOf(parameters, "after");
  const before = dayOf(parameters, "before");
  const productId = given("product_id");
  if (productId !== undefined && !/^[\w-]{22}==$/.test(productId)) throw badRequest("Invalid product ID.");
  const orderId = given("order_id");
  if (orderId !== undefined && String(Number.parseInt(orderId, 10)) !== orderId) throw badRequest("Invalid order ID.");
  const email = given("email")?.toLowerCase();
  return sales.filter((sale) =>
    (after === undefined || sale.createdAt >= after) &&
    (before === undefined || sale.createdAt < before) &&
    (productId === undefined || sale.productId === productId) &&
    (orderId === undefined || sale.orderNumber === Number(orderId)) &&
    (email === undefined || sale.email.toLowerCase() === email)
  );
}

/** The beginning of a day, UTC. */
function dayOf(parameters: ReadonlyMap<string, string>, name: "after" | "before"): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  const day = /^\d{4}-\d{1,2}-\d{1,2}$/.test(text)
    ? Date.parse(`${text.replace(/-(\d)(?!\d)/g, "-0$1")}T00:00:00Z`)
    : Number.NaN;
  if (Number.isNaN(day)) {
    throw badRequest(`Invalid date format provided in field '${name}'. Dates must be in the format YYYY-MM-DD.`);
  }
  return day;
}
