import type { Companions } from './companions.ts';

/** The class of transformers that a `config.json` names; undefined when there is none. */
export async function architectureOf(companions: Companions): Promise<string | undefined> {
  const config = await companions.object('config.json');
  const architectures = config?.['architectures'];
  const first: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  return typeof first === 'string' ? first : undefined;
}
