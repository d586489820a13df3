/** How a runner process ended. */
export interface RunnerEnd {
  readonly reason: string;
  /** Whether native code crashed, by what is known. */
  readonly crashed: boolean;
  /** Requests in the run that it was at; 0 when it was at none, or at a warm-up. */
  readonly requests: number;
}

/**
 * The signals by which native code ends its own process: a division by zero, a failed assertion or an exception that
 * nothing catches, an access to memory that is not its own, a trap. SIGBUS is left out: a file that was cut while it is
 * mapped raises it, whatever the input. SIGKILL and SIGTERM come from outside, such as from the kernel when memory is
 * short.
 */
const crashSignals: ReadonlySet<NodeJS.Signals> = new Set(['SIGFPE', 'SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGTRAP']);

/** What the exit of a process says; `killReason` is why this process ended it, if it did. */
export function readExit(
  code: number | null,
  signal: NodeJS.Signals | null,
  killReason: string | undefined,
): Pick<RunnerEnd, 'reason' | 'crashed'> {
  if (killReason !== undefined) return { reason: killReason, crashed: false };
  if (signal === null) return { reason: `it exited with code ${code}`, crashed: false };
  return { reason: `it was ended by ${signal}`, crashed: crashSignals.has(signal) };
}
