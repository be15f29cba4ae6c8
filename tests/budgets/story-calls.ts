/** The services whose calls are counted, in the order of the figures below. */
export const COUNTED = ["auth0", "dynamodb", "sqs", "secretsmanager"] as const;

/** The most calls of each that a story of fixtures/manifest.json may take, its pings delivered one by one. */
export const calls: Readonly<Record<string, readonly number[]>> = {
  "a purchase, and Gumroad's retry of its ping": [4, 10, 2, 0],
  "a purchase that is refunded in full": [5, 17, 2, 0],
  "a purchase that is refunded in part": [4, 13, 2, 0],
  "a purchase that is disputed": [5, 17, 2, 0],
  "a dispute that the seller wins": [6, 23, 3, 0],
  "a refund whose sale never comes": [0, 4, 1, 0],
  "a test ping": [0, 0, 0, 0],
  "the seller's own test purchase": [4, 10, 1, 0],
  "a purchase with custom fields": [4, 10, 1, 0],
  "a gift": [4, 12, 1, 0],
  "a bundle": [5, 21, 3, 0],
  "a product that grants nothing": [0, 6, 1, 0],
  "a membership": [4, 13, 2, 0],
  "a membership that is upgraded": [5, 19, 3, 0],
  "a membership that is cancelled and ends": [5, 25, 4, 0],
  "a membership's whole life, from sale to restart": [7, 37, 6, 0],
};
