/** The other end of the transport benchmark: sends back what it gets, by the way that its first argument names. */
import { readSync, writeSync } from 'node:fs';
import { BlockingChannel } from '../src/inference/runner/frames/blocking-channel.ts';
import { headBytes } from '../src/inference/runner/frames/frame.ts';

const [, , way] = process.argv;
const channelFd = 3;
const sharedFd = 4;

function echoSocket(): void {
  const channel = new BlockingChannel(channelFd);
  for (let frame = channel.read(); frame !== undefined; frame = channel.read()) channel.write(frame);
}

/** The frame holds only the number of bytes; they are in the shared file. */
function echoShared(): void {
  const channel = new BlockingChannel(channelFd);
  let buffer = Buffer.alloc(0);
  for (let frame = channel.read(); frame !== undefined; frame = channel.read()) {
    const bytes = frame.readUInt32LE(headBytes);
    if (buffer.byteLength < bytes) buffer = Buffer.from(new ArrayBuffer(bytes));
    readSync(sharedFd, buffer, 0, bytes, 0);
    writeSync(sharedFd, buffer, 0, bytes, 0);
    channel.write(frame);
  }
}

if (way === 'send') process.on('message', (message) => process.send?.(message));
if (way === 'socket') echoSocket();
if (way === 'shared') echoShared();
