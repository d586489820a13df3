import { describe, expect, it } from 'vitest';
import { faultyServers } from '../conformance/faults.ts';
import { startProtocolServer } from '../conformance/protocol-server.ts';
import { inferd, inferdHere } from '../helpers/command.ts';

const conformance = (...args: string[]) => inferdHere(['conformance', ...args], {});

function faulty(name: string) {
  const found = faultyServers.find((server) => server.name === name);
  if (found === undefined) throw new Error(`There is no server that ${name}`);
  return startProtocolServer(found.middle());
}

describe('inferd conformance', () => {
  it('prints a line a check and the counts, and exits with 0', async () => {
    await using server = await startProtocolServer();
    const { code, output } = await inferd(['conformance', server.address.href, '--model', 'single'], {});
    expect(output).toContain('ok   MUST   infer.id [single]: The id of a request is returned\n');
    expect(output).toMatch(
      /skip MUST {3}repository\.unload \[single\].*\(without --control no model is loaded or unloaded\)/,
    );
    expect(output).toMatch(/\n\d+ hold, 0 MUST fail, 0 SHOULD fail, \d+ not tried; 1 models\n$/);
    expect(output).not.toContain('[pair]');
    expect(code).toBe(0);
  });

  it('exits with 1 when a MUST fails, and says where that is written', async () => {
    await using server = await faulty('forgets ids');
    const { code, output } = await conformance(server.address.href, '--model', 'single', '--quiet');
    expect(output).toContain('FAIL MUST   infer.id [single]');
    expect(output).toContain('OIP Inference Request JSON Object: id is nothing, the request had "42"');
    expect(output).not.toContain('\nok ');
    expect(code).toBe(1);
  });

  it('exits with 0 when no more than a SHOULD fails', async () => {
    await using server = await faulty('does not know HEAD');
    const { code, output } = await conformance(server.address.href, '--model', 'single', '--quiet');
    expect(output).toContain('FAIL SHOULD server.head');
    expect(code).toBe(0);
  });

  it('writes JSON', async () => {
    await using server = await faulty('forgets ids');
    const { code, output } = await conformance(server.address.href, '--model', 'single', '--json');
    const report = JSON.parse(output);
    expect(report).toMatchObject({ mustFails: expect.any(Number), holds: expect.any(Number) });
    expect(report.results).toContainEqual(
      expect.objectContaining({ id: 'infer.id', model: 'single', level: 'MUST', verdict: 'fails' }),
    );
    expect(code).toBe(1);
  });

  it('exits with 2 when there is no server, or no address', async () => {
    expect(await conformance('http://127.0.0.1:1')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await conformance()).toMatchObject({ code: 2, errors: expect.stringContaining('Usage:') });
    expect(await conformance('localhost:8080')).toMatchObject({ code: 2 });
    expect(await conformance('http://x', '--timeout', '0')).toMatchObject({ code: 2 });
  });
});
