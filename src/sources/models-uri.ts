import { createHash } from 'node:crypto';
import { AppError } from '../errors.ts';

export type ArchiveFormat = 'tar' | 'zip';

/** Where models come from: a folder of an S3 bucket, or an archive in a bucket or on the web. */
export type ModelsSource = {
  /** The address as people may see it: without its query, which can hold a signature. */
  readonly display: string;
  /** Names the place in the cache; the digest that is asked for does not change it. */
  readonly id: string;
} & (
  | { readonly kind: 's3-folder'; readonly bucket: string; readonly prefix: string }
  | {
      readonly kind: 's3-archive';
      readonly bucket: string;
      readonly key: string;
      readonly format: ArchiveFormat;
      readonly sha256: string | undefined;
    }
  | {
      readonly kind: 'web-archive';
      readonly url: URL;
      readonly format: ArchiveFormat;
      readonly sha256: string | undefined;
    }
);

const localHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Reads `MODELS_URI`: `s3://bucket/prefix`, or an archive `….tar.gz`, `….tgz`, `….tar` or `….zip` by `s3://` or
 * `https://` (`http://` from this machine only). `?sha256=` is the digest that the archive must have.
 *
 * @throws AppError `SETTINGS_INVALID`
 */
export function parseModelsUri(text: string): ModelsSource {
  if (!URL.canParse(text)) throw invalid('expected s3://bucket/prefix, or https:// and an archive');
  const url = new URL(text);
  const sha256 = takeDigest(url);
  const format = archiveFormat(url.pathname);
  const display = `${url.protocol}//${url.host}${url.pathname}`;
  const id = createHash('sha256').update(`${display}${url.search}`).digest('hex').slice(0, 16);

  if (url.protocol === 's3:') {
    const bucket = url.hostname;
    const path = decodeURIComponent(url.pathname).replace(/^\/+/, '');
    if (bucket === '') throw invalid('the address has no bucket');
    if (format !== undefined) return { kind: 's3-archive', bucket, key: path, format, sha256, display, id };
    if (sha256 !== undefined) throw invalid('sha256 belongs to an archive; a folder can have a file SHA256SUMS');
    const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
    return { kind: 's3-folder', bucket, prefix, display, id };
  }

  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && localHosts.has(url.hostname))) {
    throw invalid('expected s3:// or https://; http:// is taken from this machine only');
  }
  if (url.username !== '' || url.password !== '') throw invalid('credentials in the address are not supported');
  if (format === undefined) throw invalid('expected a path that ends in .tar.gz, .tgz, .tar or .zip');
  return { kind: 'web-archive', url, format, sha256, display, id };
}

/** The digest is ours: the server must not see it, least of all in a signed address. */
function takeDigest(url: URL): string | undefined {
  const sha256 = url.searchParams.get('sha256')?.toLowerCase();
  if (sha256 === undefined) return undefined;
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid('sha256 has 64 hexadecimal digits');
  // Not by searchParams.delete, which would write the rest anew and break a signature.
  url.search = url.search.replace(/([?&])sha256=[^&]*&?/i, '$1').replace(/[?&]$/, '');
  return sha256;
}

function archiveFormat(path: string): ArchiveFormat | undefined {
  if (/\.(tar|tar\.gz|tgz)$/i.test(path)) return 'tar';
  return /\.zip$/i.test(path) ? 'zip' : undefined;
}

// The address itself is not repeated: its query can hold a signature.
function invalid(reason: string): AppError {
  return new AppError('SETTINGS_INVALID', { message: `MODELS_URI: ${reason}` });
}
