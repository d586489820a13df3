import { describe, expect, it } from 'vitest';
import { writeGraph, writeMembers } from '../graphs/write-graph-models.ts';
import { writeRemote } from '../graphs/write-remote.ts';
import { inferdHere } from '../helpers/command.ts';
import { temporaryFolder } from '../helpers/folder.ts';

const flow = { steps: [{ name: 'prepare', model: 'far' }] };

describe('inferd check', () => {
  it('warns of a remote that is away, and of what needs it, and finds no fault in that', async () => {
    await using folder = await temporaryFolder();
    await writeMembers(folder.path);
    await writeRemote(folder.path, 'far', { urls: ['http://127.0.0.1:1'], model: 'scaler' });
    await writeGraph(folder.path, 'flow', flow);
    const { code, output } = await inferdHere(['check', folder.path], {});
    expect(output).toMatch(/^far 1 remote: warning: .*ECONNREFUSED/m);
    expect(output).toMatch(/^flow 1 graph: warning: .*far/m);
    expect(code).toBe(0);
  });

  it('names every fault of a remote.json, and knows the secrets of the environment', async () => {
    await using folder = await temporaryFolder();
    const headers = { a: '$' + '{REMOTE_A}', b: '$' + '{REMOTE_B}' };
    await writeRemote(folder.path, 'far', { urls: ['http://127.0.0.1:1'], model: 'scaler', concurency: 1, headers });
    const { code, output } = await inferdHere(['check', folder.path], { REMOTE_SECRETS: 'REMOTE_A', REMOTE_A: 'x' });
    expect(output).toContain('far 1 remote: concurency: there is no such key; did you mean "concurrency"?');
    expect(output).toContain('far 1 remote: headers.b: ');
    expect(output).not.toContain('headers.a');
    expect(code).toBe(1);
  });
});
