import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The real program in a process of its own. */
export interface FuzzedServer extends AsyncDisposable {
  readonly address: URL;
  readonly pid: number;
  /** Megabytes that are in use after collecting the garbage. */
  liveMegabytes(): Promise<number>;
  /** Exit code or signal; undefined while it lives. */
  exit(): string | undefined;
}

const liveMemory = new URL('live-memory.ts', import.meta.url).href;
const projectDir = new URL('../..', import.meta.url).pathname;

/** Starts the server on a free port, and waits until its models are loaded. */
export async function startServerProcess(modelsDir: string): Promise<FuzzedServer> {
  const child = spawn(process.execPath, ['--expose-gc', '--import', liveMemory, 'src/main.ts', 'serve'], {
    cwd: projectDir,
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      MODELS_DIR: modelsDir,
      LOG_LEVEL: 'info',
      STORAGE: 'off',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const address = await new Promise<URL>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}`)));
    lines.on('line', (line) => {
      const found = /inferd serves .* at (http:\S+)/.exec(line)?.[1];
      if (found !== undefined) resolve(new URL(found));
      if (/"level":(50|60)/.test(line)) process.stderr.write(`${line}\n`);
    });
  });
  const liveMegabytes = () =>
    new Promise<number>((resolve) => {
      const listen = (line: string) => {
        const bytes = /^\{"liveBytes":(\d+)\}$/.exec(line)?.[1];
        if (bytes === undefined) return;
        lines.off('line', listen);
        resolve(Number(bytes) / 2 ** 20);
      };
      lines.on('line', listen);
      child.kill('SIGWINCH');
    });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    address,
    pid: child.pid ?? 0,
    liveMegabytes,
    exit: () => child.signalCode ?? child.exitCode?.toString(),
    [Symbol.asyncDispose]: stop,
  };
}
