/** A request as all load generators send it: the same bytes for every one of them. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A POST of JSON. */
export function jsonPost(path: string, value: unknown): HttpRequest {
  const body = Buffer.from(JSON.stringify(value));
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body };
}

/** A GET without a body. */
export function get(path: string): HttpRequest {
  return { method: 'GET', path, headers: {}, body: Buffer.alloc(0) };
}

/** The request in the wire format of HTTP/1.1 (RFC 9112). */
export function encodeRequest(request: HttpRequest, host: string): Buffer {
  const headers = {
    host,
    ...request.headers,
    ...(request.method === 'POST' && { 'content-length': request.body.length }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${request.method} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), request.body]);
}
