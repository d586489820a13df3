import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const s3Key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

export interface S3Request {
  readonly method: string;
  readonly key: string;
  readonly range: string | undefined;
  readonly token: string | undefined;
  readonly isSigned: boolean;
}

/**
 * The part of S3 that reading takes, for one bucket: ListObjectsV2 in pages of two, and GET and HEAD with ranges,
 * conditions and checksums. Signatures are checked by the rules of AWS Signature Version 4.
 */
export class S3Server implements AsyncDisposable {
  readonly objects = new Map<string, Buffer>();
  readonly requests: S3Request[] = [];
  /** Headers that an object has besides those that follow from its bytes. */
  readonly extraHeaders = new Map<string, Record<string, string>>();
  /** Whether who brings no signature may read. */
  isPublic = false;
  /** What is done to the bytes of an object on their way. */
  spoil = (bytes: Buffer): Buffer => bytes;
  /** Called before an object is answered. */
  onGet: (key: string) => void | Promise<void> = () => undefined;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(objects: Readonly<Record<string, string | Buffer>> = {}): Promise<S3Server> {
    const server = new S3Server();
    for (const [key, content] of Object.entries(objects)) server.objects.set(key, Buffer.from(content));
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The variables that lead to it. */
  get environment() {
    return {
      AWS_ENDPOINT_URL_S3: this.endpoint,
      AWS_ACCESS_KEY_ID: s3Key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3Key.secretAccessKey,
    };
  }

  gets(): string[] {
    return this.requests.filter(({ method, key }) => method === 'GET' && key !== '').map(({ key }) => key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.endpoint);
    const [, bucket, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    const { range, authorization } = request.headers;
    const token = request.headers['x-amz-security-token'] as string | undefined;
    const isSigned = authorization !== undefined;
    this.requests.push({ method: request.method ?? '', key, range, token, isSigned });

    if (isSigned ? !isRightlySigned(request, url) : !this.isPublic) return void refuse(response, 403, 'AccessDenied');
    if (bucket !== 'bucket') return void refuse(response, 404, 'NoSuchBucket');
    if (key === '') return this.#list(url, response);
    await this.onGet(key);
    this.#get(key, request, url, response);
  }

  #list(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get('prefix') ?? '';
    const after = url.searchParams.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, 2);
    const contents = page.map((key) => {
      const content = this.objects.get(key) ?? Buffer.of();
      const escaped = key.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      return `<Contents><Key>${escaped}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${this.#etag(key)}&quot;</ETag><Size>${content.length}</Size></Contents>`;
    });
    const next = keys.length > page.length ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    const isTruncated = `<IsTruncated>${next !== ''}</IsTruncated>`;
    response.setHeader('content-type', 'application/xml');
    response.end(`<?xml version="1.0"?><ListBucketResult>${isTruncated}${next}${contents.join('')}</ListBucketResult>`);
  }

  #get(key: string, request: IncomingMessage, url: URL, response: ServerResponse): void {
    const content = this.objects.get(key);
    if (content === undefined) return void refuse(response, 404, 'NoSuchKey');
    const etag = `"${this.#etag(key)}"`;
    const wanted = request.headers['if-match'];
    if (wanted !== undefined && wanted !== etag) return void refuse(response, 412, 'PreconditionFailed');

    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start > 0 && start >= content.length) return void refuse(response, 416, 'InvalidRange');
    const isPart = url.searchParams.has('partNumber');
    const body = isPart ? content.subarray(0, partBytes) : content.subarray(start);
    for (const [name, value] of Object.entries(this.extraHeaders.get(key) ?? {})) response.setHeader(name, value);
    if (isPart) response.setHeader('x-amz-mp-parts-count', Math.ceil(content.length / partBytes));
    response.writeHead(start > 0 || isPart ? 206 : 200, { etag, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : this.spoil(body));
  }

  #etag(key: string): string {
    return this.extraHeaders.get(key)?.['etag'] ?? md5(this.objects.get(key) ?? Buffer.of()).toString('hex');
  }
}

/** Size of the parts of what {@link partsEtag} is for. */
const partBytes = 1000;

/** The ETag that S3 gives an object that came in parts of 1000 bytes. */
export function partsEtag(content: Buffer): string {
  const parts: Buffer[] = [];
  for (let start = 0; start < content.length; start += partBytes) {
    parts.push(md5(content.subarray(start, start + partBytes)));
  }
  return `${md5(Buffer.concat(parts)).toString('hex')}-${parts.length}`;
}

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>refused</Message></Error>`);
}

/** "Create a signed AWS API request", AWS General Reference. */
function isRightlySigned(request: IncomingMessage, url: URL): boolean {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/s3\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/;
  const [, accessKey, scope = '', names = '', signature] = pattern.exec(request.headers.authorization ?? '') ?? [];
  if (accessKey !== s3Key.accessKeyId || !names.split(';').includes('host')) return false;
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const payload = request.headers['x-amz-content-sha256'];
  const path = url.pathname
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');
  const canonical = [request.method, path, query, headers.join(''), names, payload].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash].join('\n');
  const key = scope
    .split('/')
    .reduce(
      (secret: string | Buffer, part) => createHmac('sha256', secret).update(part).digest(),
      `AWS4${s3Key.secretAccessKey}`,
    );
  return createHmac('sha256', key).update(text).digest('hex') === signature;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
