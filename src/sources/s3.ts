import { S3Client as Client, S3Errors } from '@bradenmacdonald/s3-lite-client';
import type { Digest } from './digest.ts';
import {
  isPassing,
  RefusedByServer,
  type RemoteBody,
  type RemoteFile,
  type Resumption,
  SourceChanged,
} from './remote-file.ts';

/** How to reach S3, or what speaks like it; without a key everything is asked for anonymously. */
export interface S3Options {
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

/** An object of a bucket, as it is listed. */
export interface BucketObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** What we need of a bucket. */
export interface Bucket {
  /** @throws RefusedByServer */
  list(prefix: string): Promise<readonly BucketObject[]>;
  /** @param etag which object it must be; without it, whichever is there */
  file(key: string, etag?: string): RemoteFile;
}

/** A bucket by the S3 protocol. Buckets are named in the path, which Amazon and all the others take. */
export function openBucket(name: string, options: S3Options): Bucket {
  const client = new Client({
    endPoint: options.endpoint ?? `https://s3.${options.region}.amazonaws.com`,
    region: options.region,
    bucket: name,
    ...(options.accessKeyId !== undefined && { accessKey: options.accessKeyId }),
    ...(options.secretAccessKey !== undefined && { secretKey: options.secretAccessKey }),
    ...(options.sessionToken !== undefined && { sessionToken: options.sessionToken }),
  });
  return {
    async list(prefix) {
      const objects: BucketObject[] = [];
      try {
        for await (const { key, size, etag } of client.listObjects({ prefix })) {
          objects.push({ key, sizeBytes: size, etag });
        }
      } catch (thrown) {
        throw explain(thrown, `the bucket ${name}`);
      }
      return objects;
    },
    file: (key, etag) => ({ name: key, open: (from) => openObject(client, key, etag, from) }),
  };
}

async function openObject(
  client: Client,
  key: string,
  etag: string | undefined,
  { firstByte, tag }: Resumption,
): Promise<RemoteBody> {
  const wanted = etag ?? (firstByte > 0 ? tag : undefined);
  const headers = new Headers({ 'x-amz-checksum-mode': 'ENABLED' });
  if (wanted !== undefined) headers.set('if-match', `"${wanted}"`);
  if (firstByte > 0) headers.set('range', `bytes=${firstByte}-`);
  try {
    const response = await client.makeRequest({
      method: 'GET',
      objectName: key,
      headers,
      statusCode: firstByte > 0 ? 206 : 200,
      returnBody: true,
    });
    return await describeBody(client, key, response, firstByte);
  } catch (thrown) {
    const status = thrown instanceof S3Errors.ServerError ? thrown.statusCode : undefined;
    if (status === 412 && etag !== undefined) throw new SourceChanged(`${key} has changed since it was listed`);
    // The object is another one, shorter, or the server does not know ranges.
    const isStale = status === 412 || status === 416 || status === 200;
    if (firstByte > 0 && isStale) return openObject(client, key, etag, { firstByte: 0, tag: undefined });
    throw explain(thrown, key);
  }
}

async function describeBody(client: Client, key: string, response: Response, firstByte: number): Promise<RemoteBody> {
  const { headers, body } = response;
  if (body === null) throw new Error(`${key}: the answer has no body`);
  const reader = body.getReader();
  const lengthBytes = Number(headers.get('content-length') ?? Number.NaN);
  const tag = headers.get('etag')?.replaceAll('"', '');
  try {
    // The checksum of an answer that is a range can be that of a part.
    const ofWhole = firstByte > 0 ? await headersOfWhole(client, key, tag ?? '') : headers;
    return {
      firstByte,
      totalBytes: Number.isNaN(lengthBytes) ? undefined : firstByte + lengthBytes,
      tag,
      digests: checksumsOf(ofWhole) ?? (await etagDigest(client, key, ofWhole)),
      reader,
    };
  } catch (thrown) {
    await reader.cancel();
    throw thrown;
  }
}

async function headersOfWhole(client: Client, key: string, etag: string): Promise<Headers> {
  const headers = new Headers({ 'if-match': `"${etag}"`, 'x-amz-checksum-mode': 'ENABLED' });
  const response = await client.makeRequest({ method: 'HEAD', objectName: key, headers });
  return response.headers;
}

/** Checksums of the whole object, `x-amz-checksum-…`; those of its parts together say `-` and how many. */
function checksumsOf(headers: Headers): Digest[] | undefined {
  const algorithms = ['sha256', 'sha1', 'crc64nvme', 'crc32'] as const;
  const digests = algorithms.flatMap((algorithm) => {
    const value = headers.get(`x-amz-checksum-${algorithm}`);
    if (value === null || value.includes('-')) return [];
    return [{ algorithm, value: Buffer.from(value, 'base64').toString('hex') }];
  });
  return digests.length === 0 ? undefined : digests;
}

/** An ETag is the MD5 of the object, or of its parts' MD5s, unless the object is encrypted by a key of its own. */
async function etagDigest(client: Client, key: string, headers: Headers): Promise<Digest[]> {
  const isEncrypted =
    headers.get('x-amz-server-side-encryption')?.startsWith('aws:kms') === true ||
    headers.has('x-amz-server-side-encryption-customer-algorithm');
  const etag = headers.get('etag')?.replaceAll('"', '') ?? '';
  if (isEncrypted) return [];
  if (/^[0-9a-f]{32}$/.test(etag)) return [{ algorithm: 'md5', value: etag }];
  if (!/^[0-9a-f]{32}-\d+$/.test(etag)) return [];
  const partBytes = await firstPartBytes(client, key, etag);
  return partBytes === undefined ? [] : [{ algorithm: 'md5-of-parts', value: etag, partBytes }];
}

/** All parts but the last are of one size with every common client, so the first tells it. */
async function firstPartBytes(client: Client, key: string, etag: string): Promise<number | undefined> {
  // Amazon answers 206, some others 200; those that know no part numbers give the size of the whole object.
  for (const statusCode of [206, 200]) {
    try {
      const request = { method: 'HEAD', objectName: key, query: { partNumber: '1' }, statusCode };
      const { headers } = await client.makeRequest(request);
      const isPart = headers.get('x-amz-mp-parts-count') === etag.split('-')[1];
      return isPart ? Number(headers.get('content-length')) || undefined : undefined;
    } catch (thrown) {
      if (!(thrown instanceof S3Errors.ServerError) || isPassing(thrown.statusCode)) throw thrown;
      // The object then goes without a digest.
      if (thrown.statusCode !== 200) return undefined;
    }
  }
  return undefined;
}

function explain(thrown: unknown, what: string): unknown {
  if (!(thrown instanceof S3Errors.ServerError) || isPassing(thrown.statusCode)) return thrown;
  const message = `${what}: ${thrown.code}: ${thrown.message}`;
  return new RefusedByServer(thrown.statusCode, message, { cause: thrown });
}
