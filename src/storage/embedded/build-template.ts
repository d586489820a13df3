/** A step of the build: writes the template that the package has, beside the built files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDatabase } from './make-database.ts';
import { packagedTemplate, writeTemplate } from './template.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferd-template-'));
try {
  await makeDatabase(join(folder, 'postgres'));
  writeTemplate(join(folder, 'postgres'), packagedTemplate());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
