import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeModel } from '../faces/classifier-model.ts';
import { classifier } from '../graphs/write-graph-models.ts';
import { temporaryFolder } from '../helpers/folder.ts';

/** A repository with the versions 1, 2 and 3 of the model `net`; the policy selects the last alone. */
export async function netRepository(manifest: object = {}) {
  const folder = await temporaryFolder();
  for (const version of ['1', '2', '3']) {
    await writeModel(folder.path, 'net', classifier([Number(version), 0, 0, 1]), { version });
  }
  await writeFile(join(folder.path, 'net', 'model.json'), JSON.stringify(manifest));
  return folder;
}

/** Asks `/models/net/traffic`, or what is below it. */
export async function traffic(
  address: string,
  method: 'GET' | 'PUT' | 'DELETE',
  { body, headers = {}, path = '' }: { body?: unknown; headers?: Record<string, string>; path?: string } = {},
) {
  const response = await fetch(new URL(`/models/net/traffic${path}`, address), {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const answered = z.looseObject({ etag: z.string().optional(), events: z.array(z.unknown()).optional() });
  return { status: response.status, etag: response.headers.get('etag'), body: answered.parse(await response.json()) };
}

/** How many of a hundred requests each version has answered. */
export async function shares(address: string): Promise<Record<string, number>> {
  const versions = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const response = await fetch(new URL('/models/net/predict', address), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': `request-${index}` },
        body: '{"scaled": [[1, 3]]}',
      });
      await response.arrayBuffer();
      return response.headers.get('x-model-version') ?? String(response.status);
    }),
  );
  return Object.fromEntries([...Map.groupBy(versions, (one) => one)].map(([version, of]) => [version, of.length]));
}
