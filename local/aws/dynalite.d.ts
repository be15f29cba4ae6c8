declare module "dynalite" {
  import type { Server } from "node:http";

  /** Makes a DynamoDB double; it keeps its items in memory, or in a LevelDB folder. */
  export default function dynalite(
    options: { path?: string; createTableMs?: number; updateTableMs?: number; deleteTableMs?: number },
  ): Server;
}
