import type { SessionOptions } from './messages.ts';

/** Log severity from which ONNX Runtime writes messages: fatal. Errors are thrown as well, and warnings are noise. */
const fatalOnly = 4;

/**
 * The session options as ONNX Runtime's binding for Node.js names them. Its threads do not spin while they wait, unless
 * that is wanted: a server with several sessions would burn the cores that the runs need.
 */
export function ortSessionOptions(options: SessionOptions) {
  const allow_spinning = options.spinning === true ? '1' : '0';
  return {
    logSeverityLevel: fatalOnly,
    executionProviders: [...(options.providers ?? ['cpu'])] as never[],
    extra: {
      session: { intra_op: { allow_spinning }, inter_op: { allow_spinning } },
      ...options.config,
    },
    ...(options.intraOpThreads !== undefined && { intraOpNumThreads: options.intraOpThreads }),
    ...(options.interOpThreads !== undefined && { interOpNumThreads: options.interOpThreads }),
    ...(options.executionMode !== undefined && { executionMode: options.executionMode }),
    ...(options.graphOptimization !== undefined && { graphOptimizationLevel: options.graphOptimization }),
    ...(options.arena !== undefined && { enableCpuMemArena: options.arena }),
    ...(options.memoryPattern !== undefined && { enableMemPattern: options.memoryPattern }),
  } as const;
}
