/**
 * The program of a runner process: it holds one ONNX Runtime session, takes frames from the socket and answers them
 * in order. ONNX Runtime blocks its thread during a run, and a native crash ends its process; here it may do both.
 */
import { Worker } from 'node:worker_threads';
import { InferenceSession } from 'onnxruntime-node';
import { BlockingChannel } from './frames/blocking-channel.ts';
import { RunnerProgram } from './runner-program.ts';

const channelFd = 3;
const sharedFd = 5;

async function main(): Promise<void> {
  const channel = new BlockingChannel(channelFd);
  const program = new RunnerProgram((path, options) => InferenceSession.create(path, options), sharedFd);
  for (let frame = channel.read(); frame !== undefined; frame = channel.read()) {
    channel.write(await program.answer(frame));
    if (!program.isLoaded) return;
  }
}

// A signal to the whole process group is the main process's to handle: it drains its runners and closes the socket.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

new Worker(new URL(`./guard${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url), {
  resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
});

await main();
process.exit(0);
