import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RuleError, type RuleRequest, type RuleScope } from '../../src/inference/graph/rules.ts';
import { createRuleCompiler } from '../../src/rules/cel-rules.ts';
import type { DataType } from '../../src/tensor/data-type.ts';
import { float32, int64, type Tensor, type Tensors, text, zeros } from '../../src/tensor/tensor.ts';

const compileRule = createRuleCompiler();

const spec = (name: string, datatype: DataType, ...shape: number[]) => ({ name, datatype, shape });

const scope: RuleScope = {
  headers: ['x-tier', 'tenant'],
  tensors: new Map([
    [
      'input',
      [
        spec('age', 'FP32', -1),
        spec('count', 'INT64', -1, 1),
        spec('id', 'UINT64', -1),
        spec('half', 'FP16', -1),
        spec('city', 'BYTES', -1),
        spec('known', 'BOOL', -1),
        spec('codes', 'INT32', -1, -1),
        spec('x:0', 'FP32', -1),
        spec('pixels', 'UINT8', -1, 28, 28),
        spec('any', 'FP32'),
      ],
    ],
    ['small', [spec('probability', 'FP32', -1), spec('p', 'FP32', -1, 3)]],
    // A step may be called as CEL calls a type.
    ['int', [spec('p', 'FP32', -1)]],
  ]),
};

const request: RuleRequest = {
  headers: { 'x-tier': 'gold', tenant: '' },
  key: { id: 'k1', name: 'team' },
  now: new Date('2026-03-08T06:30:15.250Z'),
  rows: 2,
};

/** What a rule decides for each row of the tensors, by `step.name`. */
function decideRows(rule: string, tensors: Tensors, rows = 1, asked: Partial<RuleRequest> = {}): boolean[] {
  const compiled = compileRule(rule, scope);
  const read = ({ step, tensor }: { step: string; tensor: string }): Tensor => {
    const found = tensors[`${step}.${tensor}`];
    if (found === undefined) throw new Error(`${step}.${tensor} is not read by the rule`);
    return found;
  };
  return Array.from({ length: rows }, (_, row) => compiled.decide({ ...request, ...asked }, read, row));
}

const decide = (rule: string, tensors: Tensors = {}, asked?: Partial<RuleRequest>) =>
  decideRows(rule, tensors, 1, asked)[0];

function faultOf(rule: string): string {
  try {
    compileRule(rule, scope);
  } catch (error) {
    if (error instanceof RuleError) return error.message;
    throw error;
  }
  return '';
}

describe('what a rule reads', () => {
  it.each([
    ['small.probability >= 0.9', [{ step: 'small', tensor: 'probability' }]],
    [
      "input['x:0'] > 1 && input.age > input['x:0']",
      [
        { step: 'input', tensor: 'x:0' },
        { step: 'input', tensor: 'age' },
      ],
    ],
    [
      'input.codes.exists(c, c == input.count)',
      [
        { step: 'input', tensor: 'codes' },
        { step: 'input', tensor: 'count' },
      ],
    ],
    [
      'cel.bind(p, small.p[0], p > 0.5 || p < int.p)',
      [
        { step: 'small', tensor: 'p' },
        { step: 'int', tensor: 'p' },
      ],
    ],
    ['true', []],
  ])('%s: tensors', (rule, reads) => {
    const compiled = compileRule(rule, scope);
    expect(compiled.reads).toEqual(reads);
    expect([compiled.readsRequest, compiled.readsRows]).toEqual([false, false]);
  });

  it.each([
    ["headers['x-tier'] == 'gold'", true, false],
    ["headers.tenant == ''", true, false],
    ["key.id == 'k1'", true, false],
    ["key['name'] == 'team'", true, false],
    ['now.getHours() < 12', true, false],
    ['rows == 2', false, true],
    ["'headers now rows key.id' == 'x'", false, false],
  ])('%s: the request', (rule, readsRequest, readsRows) => {
    const compiled = compileRule(rule, scope);
    expect([compiled.readsRequest, compiled.readsRows, compiled.reads]).toEqual([readsRequest, readsRows, []]);
  });
});

describe('a rule on tensors', () => {
  it('is decided for each row', () => {
    const tensors = {
      'small.probability': float32([3], [0.5, 0.95, 0.9]),
      'small.p': float32([3, 3], [0, 0, 1, 1, 0, 0, 0, 1, 0]),
    };
    expect(decideRows('small.probability > 0.9', tensors, 3)).toEqual([false, true, false]);
    expect(decideRows('small.p[0] == 1', tensors, 3)).toEqual([false, true, false]);
    expect(decideRows('small.p.size() == 3', tensors, 3)).toEqual([true, true, true]);
  });

  it('reads booleans', () => {
    const known = { datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) } as const;
    expect(decideRows('input.known', { 'input.known': known }, 2)).toEqual([true, false]);
  });

  it.each([
    ["input.city.startsWith('Se')", { 'input.city': text([1], ['Seoul']) }],
    ["input.city in ['Seoul', 'Busan']", { 'input.city': text([1], ['Seoul']) }],
    [
      'input.codes == [1, 2]',
      { 'input.codes': { datatype: 'INT32', shape: [1, 2], data: Int32Array.of(1, 2) } as const },
    ],
    ['input.count == 9007199254740993', { 'input.count': int64([1, 1], [9007199254740993n]) }],
    [
      'input.id == 9223372036854775807',
      { 'input.id': { datatype: 'UINT64', shape: [1], data: BigUint64Array.of(2n ** 63n - 1n) } as const },
    ],
  ])('%s', (rule, tensors) => {
    expect(decide(rule, tensors)).toBe(true);
  });

  it('reads halves by value', () => {
    const data = new Uint16Array(Float16Array.of(7, 1.5).buffer);
    const tensors = { 'input.half': { datatype: 'FP16', shape: [2], data } as const };
    expect(decideRows('input.half == 1.5', tensors, 2)).toEqual([false, true]);
  });

  it('compares integers and floats by their values', () => {
    const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
    const float = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }), fc.constantFrom(2 ** 53, -(2 ** 63)));
    fc.assert(
      fc.property(value, float, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), (whole, float, operator) => {
        const tensors = {
          'input.count': int64([1, 1], [whole]),
          'small.probability': { datatype: 'FP64', shape: [1], data: Float64Array.of(float) } as const,
        };
        const wide = { ...scope, tensors: new Map([...scope.tensors, ['small', [spec('probability', 'FP64', -1)]]]) };
        const read = ({ step, tensor }: { step: string; tensor: string }) =>
          step === 'input' ? tensors['input.count'] : tensors[`small.${tensor as 'probability'}`];
        const [a, b] = [BigInt(whole), float];
        const expected = {
          '==': Number(a) === b && BigInt(b) === a,
          '<': a < b,
          '<=': a <= b,
          '>': a > b,
          '>=': a >= b,
        };
        const wanted = operator === '!=' ? !expected['=='] : expected[operator as keyof typeof expected];
        expect(compileRule(`input.count ${operator} small.probability`, wide).decide(request, read, 0)).toBe(wanted);
      }),
    );
  });

  it.each(['input.age > 65', 'input.age == 66', '66 == input.age', 'input.age != 65', 'input.age in [1, 66]'])(
    '%s takes whole numbers for floats',
    (rule) => {
      expect(decide(rule, { 'input.age': float32([1], [66]) })).toBe(true);
    },
  );

  it('fails where a UINT64 is no integer of CEL', () => {
    const tensors = { 'input.id': { datatype: 'UINT64', shape: [1], data: BigUint64Array.of(2n ** 63n) } as const };
    expect(() => decide('input.id > 1', tensors)).toThrow('9223372036854775808 is above 2^63 - 1');
  });

  it.each([
    ['1 / input.count > 0', 'division by zero'],
    ['input.count % input.count == 0', 'modulo by zero'],
    ['input.codes[5] == 1', /./],
    ['int(input.city) == 1', /./],
  ])('%s fails when it is decided', (rule, message) => {
    const tensors = {
      'input.count': int64([1, 1], [0]),
      'input.codes': zeros('INT32', [1, 2]),
      'input.city': text([1], ['x']),
    };
    expect(() => decide(rule, tensors)).toThrow(message);
  });

  it('fails on a tensor of another form than it was checked for, or without the row', () => {
    expect(() => decide('input.age > 1', { 'input.age': float32([1, 3], [1, 2, 3]) })).toThrow(
      'the rule was checked for FP32 [-1], not FP32 [1,3]',
    );
    expect(() => decide('input.age > 1', { 'input.age': float32([0], []) })).toThrow('there are 0 rows');
  });
});

describe('a rule on the request', () => {
  it.each([
    ["headers['x-tier'] == 'gold'", true],
    ["headers.tenant == ''", true],
    ["{'gold': 1, 'free': 0}[headers['x-tier']] == 1", true],
    ["{'a': {'b': 2}}.a.b == 2 && [{'n': 1}].exists(m, m.n == 1)", true],
    ["key.id == 'k1' && key.name != 'k1'", true],
    ['rows > 2', false],
    ["now < timestamp('2026-03-08T06:30:16Z')", true],
    ["now - duration('15s') > timestamp('2026-03-08T06:30:00Z')", true],
    ['now.getDayOfWeek() == 0', true],
  ])('%s is %s', (rule, wanted) => {
    expect(decide(rule)).toBe(wanted);
  });
});

describe('the time in a zone', () => {
  const at = (moment: string, expression: string) => decide(expression, {}, { now: new Date(moment) });

  it.each([
    // Seoul, over midnight: no daylight saving.
    ['2026-01-01T14:59:59Z', "now.getHours('Asia/Seoul') == 23 && now.getDate('Asia/Seoul') == 1"],
    ['2026-01-01T15:00:00Z', "now.getHours('Asia/Seoul') == 0 && now.getDate('Asia/Seoul') == 2"],
    ['2026-12-31T15:00:00Z', "now.getFullYear('Asia/Seoul') == 2027 && now.getMonth('Asia/Seoul') == 0"],
    ['2026-01-01T15:00:00Z', "now.getDayOfWeek('Asia/Seoul') == 5 && now.getDayOfMonth('Asia/Seoul') == 1"],
    // New York, over both changes of the clock.
    ['2026-03-08T06:59:59Z', "now.getHours('America/New_York') == 1 && now.getSeconds('America/New_York') == 59"],
    ['2026-03-08T07:00:00Z', "now.getHours('America/New_York') == 3 && now.getMinutes('America/New_York') == 0"],
    ['2026-11-01T05:30:00Z', "now.getHours('America/New_York') == 1"],
    ['2026-11-01T06:30:00Z', "now.getHours('America/New_York') == 1"],
    ['2026-11-01T07:00:00Z', "now.getHours('America/New_York') == 2"],
    ['2026-07-01T12:00:00Z', "now.getDayOfYear() == 181 && now.getDayOfYear('Asia/Seoul') == 181"],
    ['2024-12-31T12:00:00Z', 'now.getDayOfYear() == 365'],
    ['2026-01-01T12:00:00Z', "now.getHours('UTC') == 12 && now.getHours('+09:00') == 21"],
    ['2026-01-01T12:00:00Z', "(now).getHours('UTC') == 12 && now . getHours('UTC') == now.getHours()"],
  ])('at %s: %s', (moment, rule) => {
    expect(at(moment, rule)).toBe(true);
  });

  it('does not hang on the zone of the host', () => {
    const program = `
      import { createRuleCompiler } from ${JSON.stringify(new URL('../../src/rules/cel-rules.ts', import.meta.url).href)};
      const rule = createRuleCompiler()("now.getHours('UTC') == 2 && now.getDayOfYear() == 66", { headers: [], tensors: new Map() });
      const now = new Date('2026-03-08T02:30:00Z');
      process.stdout.write(String(rule.decide({ headers: {}, key: { id: '', name: '' }, now, rows: 1 }, () => {}, 0)));`;
    // There, 2:30 of that day is an hour that the clock skips.
    const env = { ...process.env, TZ: 'America/New_York' };
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' })).toBe(
      'true',
    );
  });
});

describe('a rule that cannot be', () => {
  it.each([
    [
      'input.agee > 1',
      'input has no "agee"; it has age, count, id, half, city, known, codes, x:0, pixels, any; did you mean "age"?',
    ],
    ["input['agee'] > 1", /^input has no "agee"/],
    ['input.constructor > 1', /^input has no "constructor"/],
    ['inptu.age > 1', 'there is no name "inptu"; did you mean "input"?'],
    ['smal.probability > 1', 'there is no name "smal"; did you mean "small"?'],
    [
      "headers['x-teir'] == 'gold'",
      'the header "x-teir" is not declared; "headers" of the graph has x-tier, tenant; did you mean "x-tier"?',
    ],
    ["headers[key.name] == 'gold'", /^headers stands alone; write headers\['name'\]/],
    ["'x-tier' in headers", /^headers stands alone/],
    ['size(headers) > 1', /^headers stands alone/],
    ["key.ids == 'a'", 'key has no "ids"; it has id and name'],
    ["input[headers['x-tier']] > 1", /^input stands alone/],
    ['input == input', /^input stands alone/],
    ['(input).age > 1', 'write input without parentheses around it'],
    ['input.city > 1', 'no such overload: string > int'],
    ['input.age + 1 > 2.0', 'double + int is not possible; write the number as 1.0, or convert by double() or int()'],
    ['input.age', 'the rule gives double; expected bool, such as a comparison'],
    ["input.known ? 'a' : 'b'", /^the rule gives string/],
    ['input.city + 1 == "a"', 'no such overload: string + int'],
    ["input.city.matches('a+')", /^matches is not possible in a rule: a pattern can take longer/],
    ['dyn(input.age) == 1', /^dyn is not possible/],
    ['has(input.age)', /^has is not possible/],
    ['now.getHourss() > 1', 'there is no function "getHourss"; did you mean "getHours"?'],
    ['now.hours > 8', 'now has no "hours"; did you mean getHours()?'],
    ['now.getHours > 8', 'now has no "getHours"; did you mean getHours()?'],
    ["now['hours'] > 8", /^now has no "hours"/],
    ['input.city.length > 8', 'input.city has no "length"'],
    ["duration('1s').seconds > 1", /^duration\('1s'\) has no "seconds"; did you mean getSeconds/],
    ['nwo.hours > 8', 'there is no name "nwo"; did you mean "now"?'],
    ['google.protobuf.Timestamp == type(now)', /^there is no name "google"/],
    ['cel == 1', /^there is no name "cel"/],
    ['now.inferd_getHours() > 1', /^there is no function/],
    ["now.getHours('Asia/Soul') > 1", 'there is no time zone "Asia/Soul"; did you mean "Asia/Seoul"?'],
    ['now.getHours(input.city) > 1', /^getHours takes a time zone that stands in the rule/],
    ["now/*c*/.getHours('UTC') > 1", /^the rule is not CEL/],
    ["now// c\n.getHours('UTC') > 1", 'no comment may stand before getHours'],
    ['input.pixels[0] > 1', 'input.pixels is UINT8 [-1,28,28]; a rule reads tensors of [n], [n,1] and [n,k]'],
    ['input.any > 1.0', 'input.any has an unknown rank; a rule reads tensors of [n], [n,1] and [n,k]'],
    ['input.age > ', /^the rule is not CEL at character/],
    ['', /^the rule is not CEL/],
    [
      'input.codes.exists(input, input > 1)',
      'exists calls its variable input, which means something else; expected another name',
    ],
    ['input.codes.exists(inferd_0, inferd_0 > 1)', /means something else/],
    ['inferd_0 > 1', /^there is no name "inferd_0"/],
    [
      `input.age > 1.0${' && input.age > 1.0'.repeat(60)}`,
      'the rule is too large; expected at most 200 parts, 50 deep',
    ],
    [`${'('.repeat(60)}true${')'.repeat(60)}`, 'the rule is too large; expected at most 200 parts, 50 deep'],
  ])('%s', (rule, message) => {
    if (typeof message === 'string') expect(faultOf(rule)).toBe(message);
    else expect(faultOf(rule)).toMatch(message);
  });

  it('has at most 200 parts', () => {
    expect(faultOf(`input.known${' && input.known'.repeat(65)}`)).toBe('');
    expect(faultOf(`input.known${' && input.known'.repeat(67)}`)).toMatch(/too large/);
  });
});
