import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | undefined;

/**
 * Processor time, memory, event-loop delay and garbage collection, by the usual names of Node.js programs. They are
 * the process's, whose observers cannot be ended: one registry serves every server in it.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}
