import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';

// Loaded by `--import` before a program: writes the name of every package that the program loads into the folder of
// RECORD_PACKAGES, into a file that is named by the process.

const folder = process.env['RECORD_PACKAGES'];
const known = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const name = url.match(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];
    if (folder !== undefined && name !== undefined && !known.has(name)) {
      known.add(name);
      appendFileSync(join(folder, String(process.pid)), `${name}\n`);
    }
    return nextLoad(url, context);
  },
});
