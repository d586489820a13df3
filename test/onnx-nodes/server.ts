import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const main = process.env['INFERD_MAIN'] ?? new URL('../../src/main.ts', import.meta.url).pathname;

/** Lines of the log that are shown when the server ends by itself. */
const keptLines = 20;

/** inferd in a process of its own. */
export class Server implements Disposable {
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
  }

  /** @param cacheDir keeps compiled code, for every model starts a process */
  static async start({ modelsDir, cacheDir }: { modelsDir: string; cacheDir: string }): Promise<Server> {
    const child = spawn(process.execPath, [main, 'serve'], {
      env: {
        ...process.env,
        HOST: '127.0.0.1',
        PORT: '0',
        MODELS_DIR: modelsDir,
        NODE_COMPILE_CACHE: cacheDir,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lastLines: string[] = [];
    child.once('exit', (code, signal) => {
      process.stderr.write(`inferd ended with code ${code}, signal ${signal}:\n${lastLines.join('\n')}\n`);
    });
    const address = await new Promise<string>((resolve, reject) => {
      child.once('exit', () => reject(new Error('inferd did not start')));
      createInterface({ input: child.stdout }).on('line', (line) => {
        lastLines.push(line);
        if (lastLines.length > keptLines) lastLines.shift();
        const found = /inferd serves .* at (http:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    return new Server(child, address);
  }

  /** Whether it still is the process that was started. */
  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  [Symbol.dispose](): void {
    this.#child.removeAllListeners('exit');
    this.#child.kill();
  }
}
