/** Routes that Vertex AI names in `AIP_HEALTH_ROUTE` and `AIP_PREDICT_ROUTE`. */
export interface VertexRoutes {
  readonly healthRoute: string | undefined;
  readonly predictRoute: string | undefined;
}

/**
 * The URL that a request of Vertex AI means; undefined for every other request. Its routes are names for `/health/ready`
 * and `/invocations`, which takes `{"instances", "parameters"}` among others, and may be names of routes that there are.
 *
 * @see https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
 */
export function rewriteVertexRoute(
  { healthRoute, predictRoute }: VertexRoutes,
  { method, url }: { readonly method?: string | undefined; readonly url: string },
): string | undefined {
  const [path] = url.split('?', 1);
  if (path === predictRoute && method === 'POST') return '/invocations';
  return path === healthRoute && method === 'GET' ? '/health/ready' : undefined;
}
