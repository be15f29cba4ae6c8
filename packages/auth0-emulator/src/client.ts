/** An application of the emulated tenant. */
export interface Client {
  readonly id: string;
  secret: string;
  /** The Management scopes granted to it. */
  scopes: readonly string[];
}
