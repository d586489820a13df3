/**
 * How tensors should cross to a runner and back: `process.send` with structured clones, a socket of our own, or a
 * shared file in /dev/shm whose arrival is told over the socket. Every way takes turns, so that a busy machine is
 * busy for all of them. `node bench/transport.ts`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { frameWords, head, headBytes } from '../src/inference/runner/frames/frame.ts';
import { FrameReader } from '../src/inference/runner/frames/frame-reader.ts';

const sizes = { '4 KB': 4_096, '64 KB': 65_536, '600 KB': 614_400, '6 MB': 6_291_456 };
const rounds = 7;
const roundMs = 400;
const echo = fileURLToPath(new URL('./transport-echo.ts', import.meta.url));

interface Way {
  readonly name: string;
  readonly child: ChildProcess;
  /** One round trip; gives the bytes that came back. */
  readonly trip: (payload: Buffer) => Promise<number>;
}

function sendWay(): Way {
  const child = spawn(process.execPath, [echo, 'send'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const trip = (payload: Buffer) =>
    new Promise<number>((resolve) => {
      child.once('message', (message) => resolve((message as { payload: Uint8Array }).payload.byteLength));
      child.send({ payload });
    });
  return { name: 'process.send', child, trip };
}

function framedSocket(child: ChildProcess) {
  const socket = child.stdio[3];
  if (!(socket instanceof Duplex)) throw new TypeError('no socket');
  let onFrame: (frame: Buffer) => void = () => {};
  const reader = new FrameReader((frame) => onFrame(frame));
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  return (frame: Buffer) =>
    new Promise<Buffer>((resolve) => {
      onFrame = resolve;
      socket.write(frame);
    });
}

function frameOf(bytes: number): Buffer {
  const frame = Buffer.allocUnsafe(bytes);
  frameWords(frame)[head.bytes] = bytes;
  return frame;
}

function socketWay(): Way {
  const child = spawn(process.execPath, [echo, 'socket'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const exchange = framedSocket(child);
  const trip = async (payload: Buffer) => {
    const frame = frameOf(headBytes + payload.byteLength);
    payload.copy(frame, headBytes);
    return (await exchange(frame)).byteLength - headBytes;
  };
  return { name: 'socket', child, trip };
}

function sharedWay(): Way {
  const path = `/dev/shm/inferd-bench-${process.pid}`;
  const fd = openSync(path, 'w+', 0o600);
  unlinkSync(path);
  const child = spawn(process.execPath, [echo, 'shared'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe', fd] });
  const exchange = framedSocket(child);
  const trip = async (payload: Buffer) => {
    writeSync(fd, payload, 0, payload.byteLength, 0);
    const frame = frameOf(headBytes + 8);
    frame.writeUInt32LE(payload.byteLength, headBytes);
    await exchange(frame);
    return readSync(fd, Buffer.from(new ArrayBuffer(payload.byteLength)), 0, payload.byteLength, 0);
  };
  return { name: 'shared file', child, trip };
}

/** Microseconds of one round trip, in the mean over a round. */
async function measure({ trip }: Way, payload: Buffer): Promise<number> {
  let trips = 0;
  const startedMs = performance.now();
  while (performance.now() - startedMs < roundMs) {
    if ((await trip(payload)) !== payload.byteLength) throw new Error('bytes were lost');
    trips += 1;
  }
  return (1000 * (performance.now() - startedMs)) / trips;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const ways = [sendWay(), socketWay(), sharedWay()];
const table: Record<string, Record<string, string>> = {};
for (const [label, bytes] of Object.entries(sizes)) {
  const payload = Buffer.from(new ArrayBuffer(bytes)).fill(7);
  const results = new Map(ways.map((way) => [way.name, [] as number[]]));
  for (const way of ways) await measure(way, payload);
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ways) results.get(way.name)?.push(await measure(way, payload));
  }
  const socket = median(results.get('socket') ?? []);
  table[label] = Object.fromEntries(
    [...results].map(([name, micros]) => {
      const middle = median(micros);
      return [name, `${middle.toFixed(0)} µs (${(middle / socket).toFixed(2)})`];
    }),
  );
}
for (const { child } of ways) child.kill();
process.stdout.write(`${JSON.stringify(table, null, 2)}\n`);
