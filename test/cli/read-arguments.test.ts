import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/cli/read-arguments.ts';

describe('readArguments', () => {
  it.each([
    [[], { command: 'serve', settings: {}, domains: undefined }],
    [['serve'], { command: 'serve', settings: {}, domains: undefined }],
    [['--help'], { command: 'help', settings: {}, domains: undefined }],
    [['-h'], { command: 'help', settings: {}, domains: undefined }],
    [['--model_name=resnet'], { command: 'serve', settings: { MODEL_NAME: 'resnet' }, domains: undefined }],
    [
      ['serve', '--model_name', 'resnet', '--model_dir', '/mnt/models', '--http_port=8081'],
      {
        command: 'serve',
        settings: { MODEL_NAME: 'resnet', MODELS_DIR: '/mnt/models', PORT: '8081' },
        domains: undefined,
      },
    ],
    [['worker', '--domains', 'own.ts'], { command: 'worker', settings: {}, domains: 'own.ts' }],
    [['--version'], { command: 'version', settings: {}, domains: undefined }],
    [['-v'], { command: 'version', settings: {}, domains: undefined }],
  ])('reads %j', (args, expected) => {
    expect(readArguments(args)).toEqual(expected);
  });

  it.each([[['--model_nam=x']], [['--model_name']]])('refuses %j', (args) => {
    expect(() => readArguments(args)).toThrow(/model_nam/);
  });

  it('refuses what would be ignored', () => {
    expect(() => readArguments(['serve', 'own.ts'])).toThrow('serve takes options alone, received "own.ts"');
  });
});
