import { deserialize, serialize } from "node:v8";

/**
 * An emulator's memory as bytes. In Node's own format, and not in JSON: in memory two rows share one account or one
 * license, and both have to change with it afterwards too.
 */
export type Snapshot = Uint8Array;

/** Packs a state of plain data. `kind` names whose it is and how it is laid out. */
export function packSnapshot(kind: string, state: unknown): Snapshot {
  return serialize({ kind, state });
}

/** The state in a snapshot. Throws for what is no snapshot of this kind. */
export function unpackSnapshot<State>(kind: string, snapshot: Snapshot): State {
  const packed: { readonly kind: unknown; readonly state: State } = deserialize(snapshot);
  if (packed.kind !== kind) throw new Error(`This is no snapshot of ${kind}`);
  return packed.state;
}
