const protocols: Readonly<Record<string, RemoteProtocol>> = {
  'http:': 'http',
  'https:': 'http',
  'grpc:': 'grpc',
  'grpcs:': 'grpc',
};

export type RemoteProtocol = 'http' | 'grpc';

/** What is wrong with a URL of a server, which is not shown where it holds a password; undefined if nothing is. */
export function urlFault(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || protocols[url.protocol] === undefined || url.hostname === '') {
    return 'expected http://, https://, grpc:// or grpcs:// with a host';
  }
  if (url.username !== '' || url.password !== '') {
    return 'expected no user and no password in the URL; put them in "headers", by a name of REMOTE_SECRETS';
  }
  if (url.search !== '' || url.hash !== '') return 'expected nothing behind the path';
  if (protocolOf(text) !== 'grpc') return undefined;
  if (!['', '/'].includes(url.pathname)) return 'expected no path, which gRPC has not';
  if (url.port === '') return 'expected a port, for which gRPC has no usual one';
  return undefined;
}

export function protocolOf(url: string): RemoteProtocol | undefined {
  return URL.canParse(url) ? protocols[new URL(url).protocol] : undefined;
}

/** Scheme, host and port alone: what a server is called in metrics and messages. */
export function endpointName(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
