import { createHash } from 'node:crypto';

export interface ModelEntry {
  readonly name: string;
  readonly state: string;
  /** Why it is not ready. */
  readonly reason: string | undefined;
  /** A command that predicts with it. */
  readonly curl: string | undefined;
}

export interface StartPage {
  readonly version: string;
  /** Whether the reader may open the documentation. */
  readonly showsDocs: boolean;
  /** Undefined: the reader may not see which models there are. */
  readonly models: readonly ModelEntry[] | undefined;
}

const style = `
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: #1e293b; background: #fff; }
pre { padding: .75rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; background: #f1f5f9; }
.state { font-size: .8rem; font-weight: normal; }
`;

/** The page needs its own style, nothing else; `data:` is the empty icon. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Writes the page. Its links are relative, so that it also works below a path of a proxy. */
export function writeStartPage({ version, showsDocs, models }: StartPage): string {
  const docs = showsDocs
    ? '<p><a href="docs">Documentation</a>, from which requests can be sent, and its <a href="openapi.json">OpenAPI document</a></p>'
    : '<p>The documentation at <code>/docs</code> needs an API key.</p>';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>inferd</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<h1>inferd ${escapeHtml(version)}</h1>
${docs}
<h2>Models</h2>
${modelList(models)}
</body>
</html>
`;
}

function modelList(models: StartPage['models']): string {
  if (models === undefined) return '<p><code>GET /models</code> lists them; it needs an API key.</p>';
  if (models.length === 0) return '<p>There are none.</p>';
  return models.map(modelSection).join('\n');
}

function modelSection({ name, state, reason, curl }: ModelEntry): string {
  const why = reason === undefined ? '' : `\n<p>${escapeHtml(reason)}</p>`;
  const command = curl === undefined ? '' : `\n<pre>${escapeHtml(curl)}</pre>`;
  return `<section>
<h3>${escapeHtml(name)} <span class="state">${escapeHtml(state)}</span></h3>${why}${command}
</section>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
