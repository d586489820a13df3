// Loaded into the fuzzed server before its own code: on SIGURG it writes the longest stall of the event loop and the peak of the
// resident memory since the last time, and begins anew.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let peakBytes = 0;
const sample = () => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
};
setInterval(sample, 5).unref();

process.on('SIGURG', () => {
  sample();
  const stallMs = delay.max / 1e6;
  const peak = peakBytes;
  globalThis.gc?.();
  peakBytes = process.memoryUsage.rss();
  delay.reset();
  const report = { stallMs, peakBytes: peak, residentBytes: peakBytes };
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
