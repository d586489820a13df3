import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { EncodeTexts, LoadTokenizer, TextAnswer, TextMessage, TokenizerFacts } from '../../src/texts/messages.ts';

export const fakeFacts: TokenizerFacts = {
  template: { single: [[101], [102]], singleTypes: undefined, pair: [[101], [102], [102]], pairTypes: pairTypes() },
  sha256: 'abc',
  ids: { '[PAD]': 0 },
  unknownId: 100,
  marksSubwords: true,
};

function pairTypes() {
  return { before: [0], first: 0, between: [0], second: 1, after: [1] };
}

/** A process without a program: the test answers, or ends it. */
export class FakeChild extends EventEmitter {
  readonly pid: number;
  connected = true;
  /** Every message that it was sent. */
  readonly sent: TextMessage[] = [];
  /** Each word is a token, its id its length. */
  isPrompt: boolean;
  /** Ends with a text that has this in it. */
  deadlyText: string | undefined;

  constructor(pid: number, { isPrompt = true, deadlyText }: { isPrompt?: boolean; deadlyText?: string } = {}) {
    super();
    this.pid = pid;
    this.isPrompt = isPrompt;
    this.deadlyText = deadlyText;
  }

  send(message: TextMessage): boolean {
    this.sent.push(message);
    if (message.kind === 'unload' || !this.isPrompt) return true;
    queueMicrotask(() => this.answer(message));
    return true;
  }

  answer(message: LoadTokenizer | EncodeTexts): void {
    if (!this.connected) return;
    const texts = message.kind === 'load' ? [message.path] : message.texts;
    const { deadlyText } = this;
    if (deadlyText !== undefined && texts.some((text) => text.includes(deadlyText))) this.end('SIGABRT');
    else this.reply(message.kind === 'load' ? loaded(message) : encoded(message));
  }

  reply(answer: TextAnswer): void {
    this.emit('message', answer);
  }

  end(signal: NodeJS.Signals): void {
    if (!this.connected) return;
    this.connected = false;
    this.emit('exit', null, signal);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    setImmediate(() => this.end(signal));
    return true;
  }
}

function loaded({ request }: LoadTokenizer): TextAnswer {
  return { kind: 'loaded', request, facts: fakeFacts };
}

export function encoded({ request, texts, keep, details }: EncodeTexts): TextAnswer {
  return {
    kind: 'encoded',
    request,
    texts: texts.map((text) => {
      const words = [...text.matchAll(/\S+/g)];
      const kept = keep.side === 'right' ? words.slice(0, keep.tokens) : words.slice(-keep.tokens || words.length);
      return {
        ids: Int32Array.from(kept, ([word]) => word.length),
        count: words.length,
        ...(details && {
          offsets: Int32Array.from(kept.flatMap(({ 0: word, index }) => [index, index + word.length])),
          lengths: Int32Array.from(kept, ([word]) => word.length),
        }),
      };
    }),
  };
}

/** Starts fakes one after the other, and knows them all. */
export function fakeChildren(options: (index: number) => ConstructorParameters<typeof FakeChild>[1] = () => ({})) {
  const children: FakeChild[] = [];
  const start = (): ChildProcess => {
    const child = new FakeChild(children.length + 1, options(children.length));
    children.push(child);
    return child as unknown as ChildProcess;
  };
  return { children, start };
}
