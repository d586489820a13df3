const withPort = /^(?:\[([\da-f:.]+)\](?::\d+)?|(\d{1,3}(?:\.\d{1,3}){3}):\d+)$/i;

/**
 * `X-Forwarded-For` with addresses alone. Some proxies write ports, as `192.0.2.1:5678` or `[2001:db8::1]:443`, by which a
 * client would be another one at every connection, and a proxy would not be known as trusted.
 */
export function withoutPorts(forwardedFor: string): string {
  return forwardedFor
    .split(',')
    .map((entry) => {
      const address = entry.trim();
      const [, version6, version4] = withPort.exec(address) ?? [];
      return version6 ?? version4 ?? address;
    })
    .join(', ');
}
