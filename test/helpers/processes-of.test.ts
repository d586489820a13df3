import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { whenNoProcessHas } from './processes-of.ts';

const script = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)', process.argv[1]], { stdio: 'ignore' });
  process.stdout.write(String(child.pid), () => process.exit());
`;

test.runIf(process.platform === 'linux')('a folder is in use until the last process with it has ended', async () => {
  const path = `/tmp/${randomUUID()}`;
  const parent = spawn(process.execPath, ['-e', script, path]);
  const ended = once(parent, 'exit');
  const [written] = await once(parent.stdout.setEncoding('utf8'), 'data');
  const child = Number(written);
  await ended;
  try {
    await expect(whenNoProcessHas(path, 0)).rejects.toThrow(`The processes ${child} go on with ${path}`);
  } finally {
    process.kill(child, 'SIGKILL');
  }
  await expect(whenNoProcessHas(path)).resolves.toBeUndefined();
});
