/** What the process of the embedded database tells the main process, once. */
export type DatabaseMessage =
  | { readonly kind: 'listening' }
  /** There was no database, and now there is: it is for another process to serve. */
  | { readonly kind: 'made' }
  | { readonly kind: 'failed'; readonly message: string };
