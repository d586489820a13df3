import { type ErrorCode, errorCodes } from '../src/errors.ts';
import { statusOfKind } from '../src/http/answer/error-status.ts';
import { problemType } from '../src/http/answer/problem.ts';
import { graphJsonSchema } from '../src/inference/graph/graph-definition.ts';
import { remoteJsonSchema } from '../src/inference/remote/file/remote-definition.ts';
import { manifestJsonSchema } from '../src/models/manifest.ts';
import { documentedSettings } from './documented-settings.ts';
import { settingsPage } from './settings-page.ts';

/** Files of the repository that follow from the source: path and content. `npm run gen` writes them. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['.env.example', envExample()],
    ['docs/errors.md', errorTable()],
    ['docs/settings.md', settingsPage()],
    ['models/graph.schema.json', `${JSON.stringify(graphJsonSchema(), null, 2)}\n`],
    ['models/remote.schema.json', `${JSON.stringify(remoteJsonSchema(), null, 2)}\n`],
    ['models/model.schema.json', `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`],
  ]);
}

function envExample(): string {
  const settings = documentedSettings().map(
    ({ name, description, defaultText }) => `# ${description}\n${name}=${defaultText}\n`,
  );
  return `# Settings of inferd with their defaults. Copy to .env and change what you need.\n\n${settings.join('\n')}`;
}

function errorTable(): string {
  const rows = Object.entries(errorCodes).map(([code, { kind, title }]) => {
    return `| \`${code}\` | ${statusOfKind[kind]} | \`${problemType(code as ErrorCode)}\` | ${title} |`;
  });
  return `# Errors

Every error outside of the wire protocols is a problem of RFC 9457, \`application/problem+json\`, with the code below as
\`code\`, the path below as \`type\`, and every fault of the input in \`errors\`.

| code | status | type | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
