import { failure, notFound, success } from "./answer.ts";
import { isResourceName } from "./endpoints.ts";
import type { Endpoints, ResourceSubscription } from "./endpoints.ts";
import { productJson } from "./product-json.ts";
import type { Route } from "./routes.ts";
import type { Shop } from "./shop.ts";

/** `/user`, `/products` and `/resource_subscriptions`. */
export function shopRoutes(shop: () => Shop, endpoints: () => Endpoints): Route[] {
  return [
    { method: "GET", path: "/user", scope: "any", answer: () => {
      const { sellerId, subdomain } = shop();
      return success({
        user: { bio: null, name: subdomain, twitter_handle: null, id: sellerId, user_id: sellerId,
          url: `https://${subdomain}.gumroad.com` },
      });
    } },
    { method: "GET", path: "/products", scope: "any",
      answer: () =>
        success({
          products: [...shop().products.values()].filter(({ id }) => !shop().deleted.has(id)).map((product) =>
            productJson(shop(), product)
          ),
        }) },
    { method: "GET", path: "/products/:id", scope: "any", answer: ({ id }) => {
      const product = shop().findProduct(id);
      return product === undefined ? notFound("product") : success({ product: productJson(shop(), product) });
    } },
    { method: "GET", path: "/resource_subscriptions", scope: "view_sales", answer: ({ parameters }) => {
      const name = parameters.get("resource_name");
      if (!isResourceName(name)) return failure("Valid resource_name parameter required");
      return success({ resource_subscriptions: endpoints().registered(name).map(registrationJson) });
    } },
    { method: "PUT", path: "/resource_subscriptions", scope: "view_sales", answer: ({ parameters, token }) => {
      const name = parameters.get("resource_name");
      const postUrl = parameters.get("post_url") ?? "";
      if (!isHttpUrl(postUrl)) return failure(`Invalid post URL '${postUrl}'`);
      if (!isResourceName(name)) return failure(`Unable to subscribe to '${name ?? ""}'.`);
      return success({
        resource_subscription: registrationJson(endpoints().register(name, postUrl, token?.application ?? "")),
      });
    } },
    { method: "DELETE", path: "/resource_subscriptions/:id", scope: "view_sales",
      answer: (
        { id, token },
      ) => (endpoints().remove(id, token?.application ?? "")
        ? success({ message: "The resource_subscription was deleted successfully." })
        : notFound("resource_subscription")) },
  ];
}

function registrationJson({ id, resourceName, postUrl }: ResourceSubscription): Record<string, string> {
  return { id, resource_name: resourceName, post_url: postUrl };
}

/** Gumroad refuses loopback addresses as well; here they are all there is. */
function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}
