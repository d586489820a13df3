import { isPassing, RefusedByServer, type RemoteBody, type RemoteFile, type Resumption } from './remote-file.ts';

/** A file by HTTPS. */
export function webFile(url: URL): RemoteFile {
  // A query can hold a signature, which must not come into a log.
  const name = `${url.origin}${url.pathname}`;
  return { name, open: (from, signal) => openUrl(url, name, from, signal) };
}

async function openUrl(url: URL, name: string, from: Resumption, signal: AbortSignal): Promise<RemoteBody> {
  const isResumed = from.firstByte > 0 && from.tag !== undefined;
  const response = await fetch(url, {
    signal,
    headers: {
      // A body that is packed on the way has other bytes than the file.
      'accept-encoding': 'identity',
      ...(isResumed && { range: `bytes=${from.firstByte}-`, 'if-range': from.tag }),
    },
  });
  const { status, headers, body } = response;
  if (url.protocol === 'https:' && !response.url.startsWith('https:')) {
    await body?.cancel();
    throw new RefusedByServer(status, `${name}: the server sends us on to an address without TLS`);
  }
  if (status === 416) {
    await body?.cancel();
    return openUrl(url, name, { firstByte: 0, tag: undefined }, signal);
  }
  if (!response.ok || body === null) {
    await body?.cancel();
    const message = `${name}: the server answered ${status}`;
    throw isPassing(status) ? new Error(message) : new RefusedByServer(status, message);
  }
  const firstByte = status === 206 ? rangeStart(headers) : 0;
  const lengthBytes = Number(headers.get('content-length') ?? Number.NaN);
  return {
    firstByte,
    totalBytes: Number.isNaN(lengthBytes) ? undefined : firstByte + lengthBytes,
    tag: exactTag(headers),
    digests: [],
    reader: body.getReader(),
  };
}

/** RFC 9110, section 14.4: `content-range: bytes 100-199/200`. */
function rangeStart(headers: Headers): number {
  const start = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1];
  if (start === undefined) throw new Error('The server answered 206 without saying which bytes it sends');
  return Number(start);
}

/** RFC 9110, section 13.1.5: a weak tag must not be sent as `if-range`. */
function exactTag(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  if (etag !== null && !etag.startsWith('W/')) return etag;
  return headers.get('last-modified') ?? undefined;
}
