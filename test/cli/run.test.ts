import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { inferd } from '../helpers/command.ts';

const commands = ['serve', 'worker', 'types', 'conformance', 'keys', 'replay', 'distribution', 'help', 'version'];

describe('inferd', () => {
  it.each(['--version', '-v', 'version'])('writes its version for %s', async (argument) => {
    expect(await inferd([argument], {})).toEqual({ code: 0, output: `${packageJson.version}\n`, errors: '' });
  });

  it.each(['--help', '-h', 'help'])('lists the commands for %s', async (argument) => {
    const { code, output, errors } = await inferd([argument], {});
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    for (const command of commands) expect(output).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  it('lists them for a command that it does not know', async () => {
    const { code, output, errors } = await inferd(['serv'], {});
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toContain('Unknown command "serv"\n\nUsage: inferd');
    for (const command of commands) expect(errors).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });
});
