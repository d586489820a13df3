import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './free-port.ts';

export interface RedisProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
}

/** Whether this machine has a Redis to start; tests that need one are left out elsewhere. */
export const hasRedis = (() => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** A Redis of the test's own, that keeps nothing on disk. */
export async function startRedis({
  port,
  options = [],
}: {
  port?: number;
  options?: readonly string[];
} = {}): Promise<RedisProcess> {
  const listens = port ?? (await freePort());
  const common = ['--port', `${listens}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', [...common, ...options]);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('redis-server ended')));
    child.stdout.on('data', (chunk) => String(chunk).includes('Ready to accept') && resolve());
  });
  const exit = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await exit;
  };
  return { url: `redis://127.0.0.1:${listens}`, port: listens, child, [Symbol.asyncDispose]: stop };
}
