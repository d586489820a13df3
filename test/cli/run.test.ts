import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { inferd } from '../helpers/command.ts';

const commands = [
  'serve',
  'worker',
  'types',
  'conformance',
  'keys',
  'traffic',
  'replay',
  'distribution',
  'help',
  'version',
];

describe('inferd', () => {
  it.each(['--version', '-v', 'version'])('writes its version for %s', async (argument) => {
    expect(await inferd([argument], {})).toEqual({ code: 0, output: `${packageJson.version}\n`, errors: '' });
  });

  it.each(['--help', '-h', 'help'])('lists the commands for %s', async (argument) => {
    const { code, output, errors } = await inferd([argument], {});
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    for (const command of commands) expect(output).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  it.each(commands.filter((command) => command !== 'help' && command !== 'version'))(
    'says how %s is called, also for what it does not know',
    async (command) => {
      const { code, output, errors } = await inferd([command, '--help'], {});
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(output).toMatch(new RegExp(`^Usage: inferd ${command} .*\\n\\n[^]*\\nOptions:\\n {2}--`));
      const unknown = await inferd([command, '--no-such-option'], {});
      expect({ code: unknown.code, output: unknown.output }).toEqual({ code: 2, output: '' });
      expect(unknown.errors).toMatch(/^Unknown option '--no-such-option'/);
      expect(unknown.errors).toContain(output);
    },
  );

  it('takes help with the name of a command, and options without one as those of serve', async () => {
    const { output } = await inferd(['help', 'replay'], {});
    expect(output).toMatch(/^Usage: inferd replay --model <name> --version <number> \[options\]\n/);
    expect(await inferd(['--http_port', '1', 'replay'], {})).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/^serve takes options alone, received "replay"\n\nUsage: inferd serve/),
    });
  });

  it('lists them for a command that it does not know', async () => {
    const { code, output, errors } = await inferd(['serv'], {});
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toContain('Unknown command "serv"\n\nUsage: inferd');
    for (const command of commands) expect(errors).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });
});
