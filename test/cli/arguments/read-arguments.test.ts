import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineCommand, flag, list, noOperands, text } from '../../../src/cli/arguments/command.ts';
import { readArguments } from '../../../src/cli/arguments/read-arguments.ts';
import { usageOf } from '../../../src/cli/arguments/usage.ts';
import { serveCommand, settingsOf } from '../../../src/cli/serve-command.ts';

const part = z.coerce.number('expected a number').min(0, 'expected at least 0').optional();

const example = defineCommand({
  name: 'weigh',
  synopsis: '<file>',
  about: 'Weighs a file.',
  options: z.object({
    least: text('<number>', 'Least weight', part),
    most: text('<number>', `Most weight, ${'very '.repeat(30)}much`, part),
    tag: list('<text>', 'May be given again', z.array(z.string()).default([])),
    quiet: flag('Show nothing'),
  }),
  operands: z.tuple([z.string()], 'Expected a file'),
  run: async () => 0,
});

describe('readArguments', () => {
  it('reads options by their schemas, and what is no option', () => {
    const read = readArguments(example, ['--least=2', 'a.txt', '--tag', 'x', '--tag', 'y', '--quiet']);
    expect(read).toEqual({
      asksForHelp: false,
      values: { least: 2, tag: ['x', 'y'], quiet: true },
      operands: ['a.txt'],
    });
  });

  it.each([['--help'], ['-h'], ['--least', 'none', '--help']])('sees that %s asks for help', (...args) => {
    expect(readArguments(example, args)).toEqual({ asksForHelp: true });
  });

  it.each([
    [['a', '--least', '-1'], /least/],
    [
      ['a', '--least=-1', '--most=-2'],
      '--least: expected at least 0, received "-1"; --most: expected at least 0, received "-2"',
    ],
    [['a', '--leest=1'], /--leest/],
    [['a', '--least'], /least/],
    [['a', '--quiet=yes'], /quiet/],
    [[], 'Expected a file'],
    [['a', 'b'], 'weigh takes 1 argument, received "b"'],
  ])('refuses %j', (args, message) => {
    expect(() => readArguments(example, args)).toThrow(message);
  });
});

describe('usageOf', () => {
  it('has every option with its meaning, in lines that fit', () => {
    const usage = usageOf(example);
    expect(usage).toMatch(
      /^Usage: inferd weigh <file> \[options\]\n\nWeighs a file.\n\nOptions:\n {2}--least <number> {2}Least/,
    );
    expect(usage).toMatch(/^ {2}--quiet {11}Show nothing$/m);
    for (const line of usage.split('\n')) expect(line.length).toBeLessThan(120);
  });
});

describe('the arguments of inferd serve', () => {
  const read = (...args: string[]) => {
    const found = readArguments(serveCommand('server'), args);
    return found.asksForHelp ? 'help' : { settings: settingsOf(found.values), domains: found.values.domains };
  };

  it('are settings by the names that KServe gives to its runtimes, and the module of the domains', () => {
    expect(read()).toEqual({ settings: {}, domains: undefined });
    expect(read('--model_name', 'resnet', '--model_dir', '/mnt/models', '--http_port=8081')).toEqual({
      settings: { MODEL_NAME: 'resnet', MODELS_DIR: '/mnt/models', PORT: '8081' },
      domains: undefined,
    });
    expect(read('--domains', 'own.ts')).toEqual({ settings: {}, domains: 'own.ts' });
  });

  it('are refused where they would be ignored', () => {
    expect(() => read('own.ts')).toThrow('serve takes options alone, received "own.ts"');
    expect(() => read('--model_nam=x')).toThrow(/model_nam/);
    expect(() => read('--model_name')).toThrow(/model_nam/);
  });
});

it('a command without operands takes options alone', () => {
  const command = { ...example, operands: noOperands, run: async () => 0 };
  expect(readArguments(command, [])).toMatchObject({ operands: [] });
});
