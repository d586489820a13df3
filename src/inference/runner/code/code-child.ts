/**
 * The program of a runner process whose model is own code. Node.js lets it read its folder and this program, and nothing
 * else: no files to write, no network, no other process, no native code, no thread, no code out of texts. That is a guard
 * against accidents; code that means harm is to be kept away by other means.
 */
import { Worker } from 'node:worker_threads';
import { BlockingChannel } from '../frames/blocking-channel.ts';
import { RunnerProgram } from '../runner-program.ts';
import { openCodeSession } from './code-session.ts';

const channelFd = 3;
const sharedFd = 5;

async function main(): Promise<void> {
  const channel = new BlockingChannel(channelFd);
  const program = new RunnerProgram((path) => openCodeSession(path), sharedFd);
  for (let frame = channel.read(); frame !== undefined; frame = channel.read()) {
    channel.write(await program.answer(frame));
    if (!program.isLoaded) return;
  }
}

// A signal to the whole process group is the main process's to handle: it drains its runners and closes the socket.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const guard = new Worker(new URL(`../guard${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url), {
  resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
});
await new Promise((resolve) => guard.once('online', resolve));
// Ours is the only one.
dropPermission('worker');

await main();
process.exit(0);

function dropPermission(scope: string): void {
  const permission: { drop?(scope: string): void } | undefined = process.permission;
  permission?.drop?.(scope);
}
