import { describe, expect, test } from 'vitest';
import { chooseArm, type Routing } from '../../../src/models/traffic/choose-arm.ts';
import { uniform } from '../../../src/models/traffic/rendezvous.ts';
import { trafficSettings } from '../../../src/models/traffic/traffic-settings.ts';

const headers = (sent: Readonly<Record<string, string>>) => ({ get: (name: string) => sent[name] });
const of = (key: string): Routing => ({ requestId: 'r', headers: headers({ 'x-user-id': key }) });
const all = () => true;

function split(weights: Readonly<Record<string, number>>, stick = ['header:x-user-id']) {
  return trafficSettings.parse({ split: weights, stick });
}

function armOf(key: string, weights: Readonly<Record<string, number>>, isReady: (version: string) => boolean = all) {
  return chooseArm('iris', split(weights), { routing: of(key), isReady })?.version;
}

describe('a split of traffic', () => {
  test('has the numbers that every other implementation of it has', () => {
    expect(uniform('iris', 'alice', '1')).toBeCloseTo(0.514361585123, 12);
    expect(uniform('iris', 'alice', '2')).toBeCloseTo(0.10941940418, 12);
  });

  test('gives each version its share of 200,000 keys within three standard deviations', () => {
    const keys = 200_000;
    const counts = { 1: 0, 2: 0, 3: 0 };
    const shares = { 1: 0.6, 2: 0.3, 3: 0.1 };
    for (let key = 0; key < keys; key += 1) {
      const arm = armOf(`user-${key}`, { 1: 60, 2: 30, 3: 10 });
      if (arm === '1' || arm === '2' || arm === '3') counts[arm] += 1;
    }
    for (const version of [1, 2, 3] as const) {
      const share = shares[version];
      const deviation = Math.sqrt(keys * share * (1 - share));
      expect(Math.abs(counts[version] - keys * share)).toBeLessThan(3 * deviation);
    }
  });

  test('moves no key back while a version grows from 10 to 50 to 100 %', () => {
    const moved = { back: 0, forward: 0 };
    const ramp = [10, 50, 100].map((percent) => ({ 1: 100 - percent, 2: percent }));
    for (let key = 0; key < 20_000; key += 1) {
      const arms = ramp.map((weights) => armOf(`user-${key}`, weights));
      const first = arms.indexOf('2');
      if (arms.slice(first).includes('1')) moved.back += 1;
      else moved.forward += 1;
    }
    expect(moved).toEqual({ back: 0, forward: 20_000 });
  });

  test('leaves out a version that is not ready, and moves only its keys', () => {
    const weights = { 1: 50, 2: 30, 3: 20 };
    for (let key = 0; key < 2000; key += 1) {
      const before = armOf(`user-${key}`, weights);
      const without = chooseArm('iris', split(weights), { routing: of(`user-${key}`), isReady: (one) => one !== '2' });
      if (before === '2') expect(without?.reason).toBe('arm_unavailable');
      else expect(without).toEqual({ version: before, reason: 'sticky' });
    }
    expect(armOf('alice', weights, () => false)).toBeUndefined();
  });

  test('sends nothing to a weight of 0', () => {
    for (let key = 0; key < 1000; key += 1) expect(armOf(`user-${key}`, { 1: 1, 2: 0 })).toBe('1');
  });

  test('sticks by the first of its list that a request has, else by the id of the request', () => {
    const traffic = split({ 1: 50, 2: 50 }, ['header:x-user-id', 'key']);
    const choose = (routing: Routing) => chooseArm('iris', traffic, { routing, isReady: all });
    const caller = { id: 'k1', name: 'partner' };
    const user = { requestId: 'r1', headers: headers({ 'x-user-id': 'alice' }), caller };
    expect(choose(user)).toEqual(choose({ ...user, requestId: 'r2', caller: { id: 'k2', name: 'other' } }));
    expect(choose({ requestId: 'r1', headers: headers({}), caller })).toMatchObject({ reason: 'sticky' });
    expect(choose({ requestId: 'r1', headers: headers({}) })).toMatchObject({ reason: 'random' });
    expect(choose({ requestId: 'r1' })).toEqual(choose({ requestId: 'r1' }));
  });

  test('counts the first 256 characters of a header', () => {
    expect(armOf('a'.repeat(256), { 1: 1, 2: 1 })).toBe(armOf('a'.repeat(10_000), { 1: 1, 2: 1 }));
  });

  test.each([
    [{}, 'above 0'],
    [{ 1: 0 }, 'above 0'],
    [{ 1: -1 }, '>=0'],
    [{ 1: 1e308 }, '<=1000000'],
    [{ stable: 1 }, 'number of a version'],
  ])('refuses the weights %j', (weights, message) => {
    const { error } = trafficSettings.safeParse({ split: weights });
    expect(JSON.stringify(error?.issues)).toContain(message);
  });
});

describe('the settings of traffic', () => {
  test('need a split or a shadow, whose defaults are said', () => {
    expect(JSON.stringify(trafficSettings.safeParse({}).error?.issues)).toContain('expected split or shadow');
    const { shadow, split: none } = trafficSettings.parse({ shadow: { version: 3 } });
    expect(none).toBeUndefined();
    expect(shadow).toEqual({ version: '3', share: 1, maxBytes: 1_048_576, tolerance: 0.001 });
    expect(trafficSettings.parse({ shadow: { version: '12' } }).shadow?.version).toBe('12');
  });

  test.each([{ version: 0 }, { version: 'stable' }, { version: 1, share: 1.1 }, { version: 1, maxBytes: 0 }, {}])(
    'refuse the shadow %j',
    (shadow) => {
      expect(trafficSettings.safeParse({ shadow }).success).toBe(false);
    },
  );
});
