import { defineProducts } from "./config/products-file.ts";

/**
 * The one file a seller edits: which Auth0 roles each Gumroad product gives. `id` is the `product_id` that every ping
 * carries. docs/policy.md lists every option. These are the products of the fixture pings.
 */
export default defineProducts([
  { id: "zGyG_1JQunZuizwqd9CP7g==", name: "Serverless Handbook", roles: ["serverless-handbook"] },
  { id: "Z7kcrf7WgiSjiBnsGYi45w==", name: "React for Data Visualization", roles: ["react-for-dataviz"] },
  { id: "wg2b8FhyMUKaJ6Eo3PrR5g==", name: "Pro Club", variant: "Tier",
    roles: { Basic: ["club"], Premium: ["club", "club-premium"] } },
  { id: "zdLk8Uz-AIidbazwzX2EkA==", name: "Everything Bundle",
    contains: ["zGyG_1JQunZuizwqd9CP7g==", "Z7kcrf7WgiSjiBnsGYi45w=="] },
  { id: "lnHn8l0Cn_FH_VuURa1aEw==", name: "Masterclass", plan: "instalments", roles: ["masterclass"] },
]);
