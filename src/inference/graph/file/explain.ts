import type { z } from 'zod';
import type { Fault } from '../../../errors.ts';
import { nearestName } from '../../../names/nearest-name.ts';
import { quote } from '../../../tensor/malformed-tensor.ts';
import { chooseForm, formsAt, keysAt, type Path } from './forms.ts';

type Issue = z.core.$ZodIssue;

interface Found extends Fault {
  readonly location: Path;
  /** The key that one that is not known was meant to be. */
  readonly meant?: string;
  readonly isMissing?: true;
}

/**
 * What is wrong with a graph, one fault for each mistake. Of what may have several forms, the key that is there tells which
 * is meant, so that no fault is about the others.
 */
export function explainIssues(issues: readonly Issue[], graph: unknown): Fault[] {
  const found = issues.flatMap((issue) => explain(issue, [], graph));
  const meant = new Set(
    found.flatMap(({ location, meant }) => (meant ? [[...location.slice(0, -1), meant].join('.')] : [])),
  );
  const told = new Set<string>();
  return found
    .filter(({ location, isMissing }) => !isMissing || !meant.has(location.join('.')))
    .filter(({ message }) => !told.has(message) && told.add(message))
    .map(({ location, type, message }) => ({ location, type, message }));
}

function explain(issue: Issue, parent: Path, graph: unknown): Found[] {
  const path = [...parent, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  const value = valueAt(graph, path);
  if (issue.code === 'invalid_union' && 'errors' in issue) {
    const forms = formsAt(path);
    const form = forms && chooseForm(forms, value, nearestName);
    if (form === undefined) return [fault(path, issue.code, foundText(value, expectedText(issue)), value)];
    if ('fault' in form) return [fault(path, 'form', form.fault, value)];
    return (issue.errors[form.branch] ?? []).flatMap((inner) => explain(inner, path, graph));
  }
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey([...path, key], valueAt(graph, path)));
  if (issue.code === 'invalid_key') {
    const expected = issue.issues.map(expectedText).join(', ');
    return [fault(path, issue.code, `found the name ${quote(path.at(-1))}; ${expected}`, value)];
  }
  return [fault(path, issue.code, foundText(value, expectedText(issue)), value)];
}

function unknownKey(location: Path, parent: unknown): Found {
  const at = location.slice(0, -1);
  const forms = formsAt(at);
  const form = forms && chooseForm(forms, parent, nearestName);
  if (form !== undefined && 'fault' in form) return fault(at, 'form', form.fault, parent);
  const keys = form === undefined ? keysAt(at) : form.keys;
  const meant = nearestName(String(location.at(-1)), keys ?? []);
  const advice = meant === undefined ? `expected ${keys?.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`;
  const message = `${location.join('.')}: there is no such key; ${advice}`;
  return { location, type: 'unknown_key', message, ...(meant !== undefined && { meant }) };
}

function fault(location: Path, type: string, what: string, value: unknown): Found {
  const place = location.length === 0 ? '' : `${location.join('.')}: `;
  return { location, type, message: `${place}${what}`, ...(value === undefined && { isMissing: true }) };
}

export function foundText(value: unknown, expected: string): string {
  return value === undefined ? `is missing; ${expected}` : `found ${quote(value)}; ${expected}`;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

export function expectedText(issue: Issue): string {
  const { message } = issue;
  // What a schema says itself is good as it is; the others speak of types of JavaScript.
  if (message.startsWith('expected')) return message;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return message;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' elements' : '';
}

export function valueAt(graph: unknown, path: Path): unknown {
  let value = graph;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
