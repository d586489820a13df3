import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The real program in a process of its own. */
export interface FuzzedServer extends AsyncDisposable {
  readonly address: URL;
  readonly pid: number;
  /** Megabytes that are in use after collecting the garbage. */
  liveMegabytes(): Promise<number>;
  /** Longest stall and peak of the memory since the last call, and the memory that is left when garbage is collected. */
  watch(): Promise<{ readonly stallMs: number; readonly peakBytes: number; readonly residentBytes: number }>;
  /** Exit code or signal; undefined while it lives. */
  exit(): string | undefined;
}

const liveMemory = new URL('live-memory.ts', import.meta.url).href;
const watchLoop = new URL('watch-loop.ts', import.meta.url).href;
const projectDir = new URL('../..', import.meta.url).pathname;

/** Starts the server on a free port, and waits until its models are loaded. */
export async function startServerProcess(
  modelsDir: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<FuzzedServer> {
  const preloads = ['--expose-gc', '--import', liveMemory, '--import', watchLoop];
  const child = spawn(process.execPath, [...preloads, 'src/main.ts', 'serve'], {
    cwd: projectDir,
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      MODELS_DIR: modelsDir,
      LOG_LEVEL: 'info',
      STORAGE: 'off',
      ...environment,
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
  /** Sends the signal, and gives what is then written whose first member has that name. */
  const ask = <Report>(signal: NodeJS.Signals, first: keyof Report & string) =>
    new Promise<Report>((resolve, reject) => {
      const done = () => {
        lines.off('line', listen);
        child.off('exit', ended);
      };
      const listen = (line: string) => {
        if (!line.startsWith(`{"${first}":`)) return;
        done();
        resolve(JSON.parse(line) as Report);
      };
      const ended = () => {
        done();
        reject(new Error('The server ended'));
      };
      lines.on('line', listen);
      child.once('exit', ended);
      child.kill(signal);
    });
  const liveMegabytes = async () => (await ask<{ liveBytes: number }>('SIGWINCH', 'liveBytes')).liveBytes / 2 ** 20;
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    address,
    pid: child.pid ?? 0,
    liveMegabytes,
    watch: () => ask('SIGURG', 'stallMs'),
    exit: () => child.signalCode ?? child.exitCode?.toString(),
    [Symbol.asyncDispose]: stop,
  };
}
