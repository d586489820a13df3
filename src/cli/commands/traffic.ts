import { z } from 'zod';
import { toAppError } from '../../errors.ts';
import { defineCommand, flag, text } from '../arguments/command.ts';
import { readEnvironment } from '../environment.ts';
import { type Document, TrafficRefused, TrafficServer, type TrafficState } from './traffic-server.ts';
import { trafficText } from './traffic-text.ts';

const splitExpectation = 'expected weights by version, such as 1=90,2=10';

const weights = z
  .string()
  .regex(/^[0-9]+=[0-9.]+(,[0-9]+=[0-9.]+)*$/, splitExpectation)
  .transform((words) => Object.fromEntries(words.split(',').map((word) => readWeight(word.split('=')))));

const options = z.object({
  url: text(
    '<url>',
    'The server (default: http://localhost:8080)',
    z.url({ protocol: /^https?$/, error: 'expected the address of a server' }).default('http://localhost:8080'),
  ),
  'api-key': text('<key>', 'Key with the scope admin (default: INFERD_API_KEY)', z.string().optional()),
  split: text('<weights>', 'Split requests by these weights, such as 1=90,2=10', weights.optional()),
  promote: text(
    '<version>',
    'Send all requests to this version',
    z
      .string()
      .regex(/^[0-9]+$/, 'expected the number of a version')
      .optional(),
  ),
  rollback: flag('Undo the last change'),
  clear: flag('End what is stored, so that model.json holds again'),
  why: text('<text>', 'Why, for those who look at the changes later', z.string().optional()),
});

type TrafficOptions = z.output<typeof options>;

/** So many of the last changes are shown. */
const shownEvents = 5;

/** Shows how the requests of a model are split, after changing that where it is asked to. */
export const trafficCommand = defineCommand({
  name: 'traffic',
  synopsis: '<model>',
  about: `Shows how the requests of a model that name no version are split, and the last changes. --split, --promote, --rollback and
--clear change it first, for all servers on the same storage.`,
  options,
  operands: z.tuple([z.string()], 'Expected the name of a model'),
  async run(values, [model]) {
    const changes = [values.split, values.promote, values.rollback || undefined, values.clear || undefined];
    if (changes.filter((change) => change !== undefined).length > 1) {
      process.stderr.write('inferd traffic: give one of --split, --promote, --rollback and --clear\n');
      return 2;
    }
    const apiKey = values['api-key'] ?? readEnvironment()['INFERD_API_KEY'];
    try {
      process.stdout.write(await showTraffic(new TrafficServer(values.url, model, apiKey), model, values));
      return 0;
    } catch (thrown) {
      process.stderr.write(`inferd traffic: ${reasonOf(thrown, values.url)}\n`);
      return 1;
    }
  },
});

async function showTraffic(server: TrafficServer, model: string, values: TrafficOptions): Promise<string> {
  const before = await server.state();
  const state = (await changeTraffic(server, before, values)) ?? before;
  // A server without a storage knows what holds, and of no changes.
  const events = await server.events(shownEvents).catch((thrown: unknown) => {
    if (thrown instanceof TrafficRefused) return [];
    throw thrown;
  });
  return trafficText(model, state, events);
}

async function changeTraffic(
  server: TrafficServer,
  state: TrafficState,
  { split, promote, rollback, clear, why }: TrafficOptions,
): Promise<TrafficState | undefined> {
  if (split !== undefined) return server.change(state, keepingStick(state, split), why);
  if (promote !== undefined) return server.change(state, keepingStick(state, { [promote]: 100 }), why);
  if (clear) return server.change(state, undefined, why);
  if (!rollback) return undefined;
  const [last] = await server.events(1);
  if (last === undefined) throw new TrafficRefused('there is no change to undo');
  return server.change(state, last.from ?? undefined, why ?? `undoes the change of ${last.at}`);
}

/** Other weights are no reason for clients to be told apart by something else. */
function keepingStick({ traffic }: TrafficState, split: Document['split']): Partial<Document> {
  return traffic === undefined ? { split } : { split, stick: traffic.stick };
}

function readWeight([version = '', weight = '']: readonly string[]): [version: string, weight: number] {
  return [version, Number(weight)];
}

function reasonOf(thrown: unknown, url: string): string {
  if (thrown instanceof TrafficRefused) return thrown.message;
  if (thrown instanceof TypeError) return `${url} cannot be reached`;
  return `${url} did not answer as expected: ${toAppError(thrown).message}`;
}
