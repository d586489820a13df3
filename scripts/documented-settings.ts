import { z } from 'zod';
import { environmentSchema } from '../src/settings.ts';

export interface DocumentedSetting {
  readonly name: string;
  readonly description: string;
  /** Empty where there is none. */
  readonly defaultText: string;
}

/** Every environment variable that is read, in the order of the schema. */
export function documentedSettings(): DocumentedSetting[] {
  const { properties = {} } = z.toJSONSchema(environmentSchema, { io: 'output' });
  return Object.entries(properties).map(([name, schema]) => {
    if (typeof schema === 'boolean' || schema.description === undefined) throw new Error(`${name} has no description`);
    return { name, description: schema.description, defaultText: String(schema.default ?? '') };
  });
}
