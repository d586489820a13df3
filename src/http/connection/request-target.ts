const schemeAndHost = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i;

/**
 * The path and query of a request target that routes are found by. Of the absolute form, which clients send through
 * proxies (RFC 9112, section 3.2.2), the scheme and the host are left out. Percent signs that escape nothing, or bytes
 * that are not UTF-8, stand for themselves, so that the routes can say that there is no such thing.
 */
export function routableTarget(target: string): string {
  const local = target.startsWith('/') ? target : withoutHost(target);
  const queryStart = local.indexOf('?');
  const path = queryStart < 0 ? local : local.slice(0, queryStart);
  return path.includes('%') ? path.replaceAll(escapes, escapeUnlessText) + local.slice(path.length) : local;
}

function withoutHost(target: string): string {
  const rest = target.replace(schemeAndHost, '');
  return rest === target || rest.startsWith('/') ? rest : `/${rest}`;
}

const escapes = /(?:%[\da-f]{2})+|%/gi;

function escapeUnlessText(run: string): string {
  try {
    decodeURIComponent(run);
    return run;
  } catch {
    return run.replaceAll('%', '%25');
  }
}
