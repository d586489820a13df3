import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { TextMessage } from '../../src/texts/messages.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { writeCompanions } from './fake-tokenizer.ts';
import { openFake } from './open-fake.ts';

/** A text process that answers nothing. */
function hangingProcess() {
  const asked = Promise.withResolvers<TextMessage>();
  const killed: string[] = [];
  const child = Object.assign(new EventEmitter(), {
    connected: true,
    pid: 1,
    kill: (signal: string) => killed.push(signal) > 0,
    send: (message: TextMessage) => {
      asked.resolve(message);
      return true;
    },
  });
  return { asked: asked.promise, killed, start: () => child as unknown as ChildProcess };
}

const tokens = { datatype: 'INT64', shape: [-1, -1] } as const;
const signature = {
  inputs: [
    { name: 'input_ids', ...tokens },
    { name: 'attention_mask', ...tokens },
  ],
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 2] }],
} as const;

it('ends with what was found when a tokenizer hangs while it loads, and ends its process', async () => {
  await using folder = await temporaryFolder();
  await writeCompanions(folder.path, {
    'tokenizer.json': {},
    'config.json': { architectures: ['BertForSequenceClassification'], id2label: { 0: 'no', 1: 'yes' } },
  });
  const clock = new VirtualClock();
  const { asked, killed, start } = hangingProcess();
  const opening = openFake({
    signature,
    outputs: () => ({}),
    folder: folder.path,
    startTexts: start,
    clock,
    manifest: { loadTimeoutMs: 5000 },
  });
  await asked;
  await clock.advance(4999);
  expect(killed).toEqual([]);
  await clock.advance(1);
  const opened = await opening;
  expect(opened.report).toEqual({
    state: 'invalid',
    why: 'it could not be made and tried within loadTimeoutMs, which is 5000 ms',
  });
  expect(killed).toEqual(['SIGKILL']);
  expect(opened.hasTokenizer()).toBe(false);
});
