// Loaded into the fuzzed server before its own code, with --expose-gc: on SIGWINCH it collects garbage, and writes how many bytes are
// still in use. Resident memory alone cannot tell a leak from garbage that nobody has collected yet.
process.on('SIGWINCH', () => {
  globalThis.gc?.();
  // What finalisers of the first collection let go is collected by the second.
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    process.stdout.write(`${JSON.stringify({ liveBytes: heapUsed + external })}\n`);
  });
});
