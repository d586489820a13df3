/** What the process of the embedded database tells the main process: once how its start went, then that it is there. */
export type DatabaseMessage =
  | { readonly kind: 'listening' }
  /** There was no database, and now there is: it is for another process to serve. */
  | { readonly kind: 'made' }
  | { readonly kind: 'failed'; readonly message: string }
  /** The answer to any message of the main process; none comes during a statement. */
  | { readonly kind: 'alive' };
