const everyAddress = ['0.0.0.0/0', '::/0'];

/**
 * What `TRUST_PROXY` means to Fastify: addresses and networks of proxies, or true for every client that connects. A header
 * `X-Forwarded-For` of another client is not believed: it would let a client choose for whom its requests count.
 */
export function trustedProxies(values: readonly string[]): false | string[] {
  const proxies = values.flatMap((value) => {
    if (value === 'true' || value === '1') return everyAddress;
    return value === 'false' || value === '0' ? [] : [value];
  });
  return proxies.length === 0 ? false : proxies;
}
