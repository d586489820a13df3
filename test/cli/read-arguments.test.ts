import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/cli/read-arguments.ts';

describe('readArguments', () => {
  it.each([
    [[], { command: 'serve', settings: {} }],
    [['serve'], { command: 'serve', settings: {} }],
    [['--help'], { command: 'help', settings: {} }],
    [['-h'], { command: 'help', settings: {} }],
    [['--model_name=resnet'], { command: 'serve', settings: { MODEL_NAME: 'resnet' } }],
    [
      ['serve', '--model_name', 'resnet', '--model_dir', '/mnt/models', '--http_port=8081'],
      { command: 'serve', settings: { MODEL_NAME: 'resnet', MODELS_DIR: '/mnt/models', PORT: '8081' } },
    ],
  ])('reads %j', (args, expected) => {
    expect(readArguments(args)).toEqual(expected);
  });

  it.each([[['--model_nam=x']], [['--model_name']]])('refuses %j', (args) => {
    expect(() => readArguments(args)).toThrow(/model_nam/);
  });
});
