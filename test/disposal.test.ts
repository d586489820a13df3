import { describe, expect, it, vi } from 'vitest';
import { DisposalGroup, disposalErrors } from '../src/disposal.ts';
import { startReadyServer } from './helpers/server.ts';

const failing = (message: string) => async () => {
  throw new Error(message);
};

describe('a group', () => {
  it('ends its members at the same time, and waits for all of them', async () => {
    const first = Promise.withResolvers<void>();
    const group = new DisposalGroup();
    group.defer(() => first.promise);
    // Would wait for ever if members ended one after the other.
    group.defer(async () => first.resolve());
    await group[Symbol.asyncDispose]();
  });

  it('throws what members throw, after all have ended', async () => {
    const end = vi.fn();
    const group = new DisposalGroup();
    group.defer(failing('one'));
    group.defer(end);
    await expect(group[Symbol.asyncDispose]()).rejects.toThrow('one');
    group.defer(failing('two'));
    await expect(group[Symbol.asyncDispose]()).rejects.toThrow(AggregateError);
    expect(end).toHaveBeenCalledTimes(2);
  });
});

it('the errors of a stack are listed in the order of its steps', async () => {
  const stack = new AsyncDisposableStack();
  stack.defer(failing('third'));
  const group = stack.use(new DisposalGroup());
  group.defer(failing('second'));
  group.defer(failing('second as well'));
  stack.defer(failing('first'));
  const thrown: unknown = await stack.disposeAsync().catch((error: unknown) => error);
  expect(disposalErrors(thrown).map(String)).toEqual(
    ['first', 'second', 'second as well', 'third'].map((message) => `Error: ${message}`),
  );
});

it('a stop goes on past a part that fails, and reports it', async () => {
  const server = await startReadyServer();
  const close = vi.spyOn(server.registry, 'close').mockRejectedValueOnce(new Error('the registry is stuck'));
  await expect(server.stop()).rejects.toThrow('Parts of the server could not be stopped: 1');
  await expect(fetch(new URL('/health/live', server.address))).rejects.toThrow();
  expect(server.logLines).toContainEqual(
    expect.objectContaining({ level: 50, err: expect.objectContaining({ message: 'the registry is stuck' }) }),
  );
  close.mockRestore();
  await server.registry.close();
});
