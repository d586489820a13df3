import type { Workload } from '../workloads.ts';
import type { Session } from './session.ts';

/**
 * Sends one request, to see that the contestant answers it before it is measured.
 *
 * @returns the reply, if it is JSON
 * @throws Error if the status is not 200
 */
export async function firstReply({ contestant, server }: Session, workload: Workload): Promise<unknown> {
  const request = contestant.requests(workload)[0];
  if (request === undefined) throw new Error(`${workload.name} has no request`);
  const response = await fetch(server.url + request.path, {
    method: request.method,
    headers: request.headers,
    body: new Uint8Array(request.body),
  });
  const text = await response.text();
  if (response.status !== 200) {
    throw new Error(`${workload.name} at ${request.path} answered ${response.status}: ${text.slice(0, 300)}`);
  }
  return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined;
}
