/** What a key may be allowed: to predict and look at models, to change what is served, to read the metrics. */
export const scopes = ['infer', 'admin', 'metrics'] as const;

export type Scope = (typeof scopes)[number];
