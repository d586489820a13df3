import { AppError } from '../../errors.ts';
import type { AnswerMemory } from '../../inference/cache/answer-memory.ts';
import type { CacheEvents } from '../../inference/cache/cache-events.ts';
import { CachedPredictor } from '../../inference/cache/cached-predictor.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import type { Assembled, VersionToAssemble } from '../assembled.ts';
import type { Manifest } from '../manifest.ts';
import type { Members } from '../registry/lease.ts';
import type { LoadIdentities } from './load-identity.ts';
import { openSharedLevel, type SharedCache } from './shared-level.ts';

/** What all caches of models have in common. */
export interface CacheDependencies {
  readonly memory: AnswerMemory;
  readonly identities: LoadIdentities;
  /** @default answers are kept in this process alone */
  readonly openShared?: (() => Promise<SharedCache>) | undefined;
  readonly eventsOf?: ((name: string, version: string) => CacheEvents) | undefined;
  readonly clock: Clock;
  /** What answers that needed no run wait for. @default nothing */
  readonly endOfTurn?: (() => Promise<void>) | undefined;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** Puts a cache before what answers for a version. */
export type OpenCache = (
  settings: NonNullable<Manifest['cache']>,
  assembled: Assembled,
  version: Pick<VersionToAssemble, 'name' | 'artifact'>,
  members: Members,
) => Promise<Assembled>;

/** @throws AppError `GRAPH_INVALID` for a graph whose answers depend on more than its inputs */
export function createOpenCache(dependencies: CacheDependencies): OpenCache {
  const { memory, identities, openShared, eventsOf, clock, endOfTurn, log } = dependencies;
  return async (settings, assembled, { name, artifact: { version } }, members) => {
    const { predictor, binding } = assembled;
    if (binding?.readsRequest === true) throw readsRequest(name);
    const { maxInputBytes, scope } = settings;
    const identity = () => identities.of(predictor, binding, members);
    const events = eventsOf?.(name, version);
    const answers = memory.open(events);
    if (settings.shared && openShared === undefined) {
      log.warn(
        { model: name, version },
        'cache.shared of model.json needs REDIS_URL: each server keeps answers for itself',
      );
    }
    const level =
      settings.shared && openShared !== undefined
        ? await openSharedLevel(await openShared(), {
            name,
            version,
            identity,
            identify: assembled.identify,
            events,
            log,
          })
        : undefined;
    const cached = new CachedPredictor({
      model: name,
      predictor,
      answers,
      clock,
      endOfTurn,
      ttlMs: settings.ttlS * 1000,
      maxInputBytes,
      scope,
      identity,
      shared: level,
    });
    return {
      ...assembled,
      predictor: cached,
      cache: {
        get figures() {
          return cached.figures;
        },
        clear: async () => ({ entries: cached.clear(), shared: (await level?.clear()) ?? 0 }),
      },
    };
  };
}

function readsRequest(name: string): AppError {
  const message =
    `The graph ${name} cannot have a cache: its rules read headers, the key or the time, so that equal inputs may have ` +
    'other answers; give its members a cache';
  const fault = { location: ['cache'], type: 'reads_request', message };
  return new AppError('GRAPH_INVALID', { message, faults: [fault], expected: 'a cache of the members' });
}
