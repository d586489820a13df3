import { z } from 'zod';
import { manifestJsonSchema } from '../src/models/manifest.ts';
import { environmentSchema } from '../src/settings.ts';

/** Files of the repository that follow from the source: path and content. `npm run gen` writes them. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['.env.example', envExample()],
    ['models/model.schema.json', `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`],
  ]);
}

function envExample(): string {
  const { properties = {} } = z.toJSONSchema(environmentSchema, { io: 'output' });
  const settings = Object.entries(properties).map(([name, schema]) => {
    if (typeof schema === 'boolean') throw new Error(`${name} has no description`);
    return `# ${schema.description}\n${name}=${schema.default ?? ''}\n`;
  });
  return `# Settings of inferd with their defaults. Copy to .env and change what you need.\n\n${settings.join('\n')}`;
}
