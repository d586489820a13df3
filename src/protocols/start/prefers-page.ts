/**
 * Whether an `Accept` header asks for a page rather than for JSON. Browsers name `text/html`; programs name JSON, or
 * take everything.
 */
export function prefersPage(accept: string | undefined): boolean {
  const html = weightOf('text/html', accept);
  return html > 0 && html >= weightOf('application/json', accept);
}

/** Weight of a media type that is named, by RFC 9110, section 12.5.1; 0 when only a wildcard takes it. */
function weightOf(mediaType: string, accept = ''): number {
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type !== mediaType) continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0;
  }
  return 0;
}
