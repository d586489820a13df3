import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const projectDir = new URL('../..', import.meta.url).pathname;

/** The program as a process that may be killed and started again, with the same settings. */
export class Program {
  readonly #command: 'serve' | 'worker';
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #exit: Promise<unknown> = Promise.resolve();
  /** Where it listens; another port after each start. */
  address = '';
  /** Warnings and errors that it has logged. */
  readonly complaints: string[] = [];

  constructor(command: 'serve' | 'worker', environment: Readonly<Record<string, string>>) {
    this.#command = command;
    this.#environment = environment;
  }

  /** How often which of them was logged. */
  get complaintCounts(): string[] {
    const counts = new Map<string, number>();
    for (const line of this.complaints) {
      const { msg } = JSON.parse(line) as { msg: string };
      counts.set(msg, (counts.get(msg) ?? 0) + 1);
    }
    return [...counts].map(([message, count]) => `logged: ${count} times ${message}`);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it, and waits until its models are loaded. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['src/main.ts', this.#command], {
      cwd: projectDir,
      env: { ...process.env, HOST: '127.0.0.1', PORT: '0', STORAGE: 'on', ...this.#environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#exit = once(child, 'exit');
    this.address = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`The program ended with ${signal ?? code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /inferd (?:serves|works) .* at (http:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
        if (/"level":(40|50|60)/.test(line)) this.complaints.push(line);
      });
    });
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exit;
  }

  /** Ends it as a platform does, and gives its exit code. */
  async stop(): Promise<number | null> {
    this.#child?.kill('SIGTERM');
    await this.#exit;
    return this.#child?.exitCode ?? null;
  }
}
