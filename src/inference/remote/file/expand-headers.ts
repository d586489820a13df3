import type { Fault } from '../../../errors.ts';
import { nearestName } from '../../../names/nearest-name.ts';
import type { RemoteProtocol } from './remote-url.ts';

/** Secrets that a `remote.json` may name: those of REMOTE_SECRETS; undefined for one that the environment does not have. */
export type Secrets = ReadonlyMap<string, string | undefined>;

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
/** Headers that say how the message is written, or what is sent with each request anyway. */
const ownHeaders = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'inference-header-content-length',
  'keep-alive',
  'te',
  'traceparent',
  'tracestate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
  'x-request-priority',
  'x-request-timeout-ms',
]);

/** The headers with the secrets that they name, and what is wrong with them; no fault tells a secret. */
export function expandHeaders(
  headers: Readonly<Record<string, string>>,
  { protocol, secrets }: { readonly protocol: RemoteProtocol; readonly secrets: Secrets },
): { readonly headers: Readonly<Record<string, string>>; readonly faults: readonly Fault[] } {
  const expanded: Record<string, string> = {};
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const refuse = (what: string) => {
      faults.push({ location: ['headers', name], type: 'header', message: `headers.${name}: ${what}` });
    };
    const key = name.toLowerCase();
    if (!headerName.test(name)) refuse('expected the name of a header');
    else if (ownHeaders.has(key)) refuse('expected another header: inferd sets this one');
    else if (protocol === 'grpc' && /^grpc-|-bin$/.test(key)) refuse('expected a header that gRPC does not set itself');
    else if (Object.hasOwn(expanded, key)) refuse('expected each header once');
    const text = value.replace(/\$\{([^}]*)\}/g, (_, secret: string) => {
      const found = secrets.get(secret);
      if (found === undefined) refuse(missingSecret(secret, secrets));
      return found ?? '';
    });
    // Anything else would end the header, or would not be what it is on the other side.
    if (!/^[\t\x20-\x7e]*$/.test(text)) refuse('expected printable ASCII, in its secrets too');
    expanded[key] = text;
  }
  return { headers: expanded, faults };
}

function missingSecret(name: string, secrets: Secrets): string {
  if (secrets.has(name)) return `the environment has no ${name}`;
  const meant = nearestName(name, secrets.keys());
  const advice = meant === undefined ? '' : `; did you mean ${meant}?`;
  return `found \${${name}}, which REMOTE_SECRETS does not name${advice}`;
}
