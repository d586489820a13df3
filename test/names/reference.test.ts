import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReference, selectVersion } from '../../src/names/reference.ts';

describe('a reference to a model', () => {
  it.each([
    ['iris', { name: 'iris' }],
    ['iris@2', { name: 'iris', selector: '2' }],
    ['iris:3', { name: 'iris', selector: '3' }],
    ['iris@stable', { name: 'iris', selector: 'stable' }],
    ['all-MiniLM-L6.v2:champion', { name: 'all-MiniLM-L6.v2', selector: 'champion' }],
  ])('%s is read', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  it.each(['', '@2', 'iris@', 'iris:', 'iris@2@3', 'iris@2:3', 'a/b', '-iris', 'iris@a/b', ' iris', 'iris\n'])(
    '%j is none',
    (text) => {
      expect(parseReference(text)).toBeUndefined();
    },
  );

  it('is what its parts are written as, whichever sign is between them', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
    const selector = fc.stringMatching(/^[^:@/\n]{1,20}$/);
    fc.assert(
      fc.property(name, selector, fc.constantFrom('@', ':'), (name, selector, sign) => {
        expect(parseReference(`${name}${sign}${selector}`)).toEqual({ name, selector });
      }),
    );
  });
});

describe('the version that a selector means', () => {
  const labels = { stable: 1, canary: '9007199254740993', 2: 7 };

  it.each([
    ['3', '3'],
    ['9223372036854775807', '9223372036854775807'],
    ['stable', '1'],
    ['canary', '9007199254740993'],
  ])('%s is %s', (selector, version) => {
    expect(selectVersion(selector, labels)).toEqual({ version });
  });

  it('is never that of a label that is a number', () => {
    expect(selectVersion('2', labels)).toEqual({ version: '2' });
  });

  it.each([
    ['stabel', { fault: 'there is no label "stabel"; did you mean "stable"?' }],
    ['production', { fault: 'there is no label "production"; there are 2, stable, canary' }],
    ['constructor', { fault: 'there is no label "constructor"; there are 2, stable, canary' }],
    ['0', { fault: '"0" is no version; expected a whole number from 1 up' }],
    ['007', { fault: '"007" is no version; expected a whole number from 1 up' }],
  ])('of %s is told to be missing', (selector, fault) => {
    expect(selectVersion(selector, labels)).toEqual(fault);
  });

  it('is missing where there are no labels', () => {
    expect(selectVersion('stable', {})).toEqual({ fault: 'there is no label "stable"; there are no labels' });
  });
});
