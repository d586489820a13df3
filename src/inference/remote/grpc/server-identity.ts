import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';

/** Node.js takes no address as the name of a server, which TLS has for names alone, and the library gives it one. */
const nameOfAddresses = 'address.invalid';

/** How a server is known to be the one that the URL names. */
export function serverIdentity(
  { protocol, hostname }: URL,
  ca: Buffer | undefined,
): { readonly security: ChannelCredentials; readonly options: ChannelOptions } {
  if (protocol !== 'grpcs:') return { security: credentials.createInsecure(), options: {} };
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) === 0) return { security: credentials.createSsl(ca ?? null), options: {} };
  const verify = {
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(address, certificate),
  };
  return {
    security: credentials.createSsl(ca ?? null, null, null, verify),
    options: { 'grpc.ssl_target_name_override': nameOfAddresses },
  };
}
