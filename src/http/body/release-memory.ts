/** Smaller buffers are the garbage collector's business. */
const leastBytes = 8 * 1024;
/** What may stand before the first byte, so that those after it are aligned. */
const mostPadding = 8;

/**
 * Gives the memory of a large buffer back at once, and empties every view of it. The garbage collector would do that
 * too, but it counts such memory as a reason to collect: at some hundred requests of 600 KB a second, whole
 * collections would take a third of this process and steal the processor from the runners.
 *
 * @param bytes a buffer that is not read any more; nothing is done if it shares its memory with others
 */
export function releaseMemory({ byteLength, buffer }: Uint8Array): void {
  if (byteLength < leastBytes || !(buffer instanceof ArrayBuffer)) return;
  if (buffer.byteLength - byteLength > mostPadding) return;
  buffer.transfer(0);
}
