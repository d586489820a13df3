import { BlockList, isIP } from 'node:net';

/**
 * Networks that lead to this machine, to its neighbours or nowhere: https://www.iana.org/assignments/iana-ipv4-special-registry
 * and https://www.iana.org/assignments/iana-ipv6-special-registry.
 */
const privateNetworks: readonly (readonly [address: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  // Of version 6 all but 2000::/3, which alone is given to the public: loopback, 64:ff9b::/96, fc00::/7, fec0::/10 …
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** A list for each family: in one, the addresses of version 4 that version 6 can write would be all those of version 4. */
const blocked = { 4: new BlockList(), 6: new BlockList() };
for (const [address, bits] of privateNetworks) {
  if (isIP(address) === 4) blocked[4].addSubnet(address, bits, 'ipv4');
  else blocked[6].addSubnet(address, bits, 'ipv6');
}

/** Whether an address is one of the public Internet; what is no address is not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !blocked[4].check(address, 'ipv4');
  return family === 6 && !blocked[6].check(address, 'ipv6');
}
