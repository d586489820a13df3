import { parseJson } from '../tensor/json/parse-json.ts';
import type { Reply } from './http-client.ts';
import { expect, NotMet } from './verdict.ts';

/** A parsed JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

/** Any JSON; integers beyond ±2^53 come as `bigint`. @throws NotMet */
export function readJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch {
    throw new NotMet(`the body is not JSON: ${excerpt(bytes)}`);
  }
}

/** @throws NotMet unless the bytes are a JSON object */
export function readJsonObject(bytes: Uint8Array): Fields {
  const value = readJson(bytes);
  expect(isObject(value), `the body is not a JSON object: ${excerpt(bytes)}`);
  return value;
}

/** The JSON object of a reply of status 200. @throws NotMet for anything else */
export function objectOf(reply: Reply): Fields {
  expectStatus(reply, 200);
  return readJsonObject(reply.body);
}

/** @throws NotMet */
export function expectStatus(reply: Reply, status: number): void {
  expect(reply.status === status, `expected status ${status}, received ${describe(reply)}`);
}

/** A reply in a few words. */
export function describe({ status, body }: Reply): string {
  return body.byteLength === 0 ? `${status} without a body` : `${status} ${excerpt(body)}`;
}

/** A value as short JSON. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member));
  return text === undefined ? 'nothing' : shorten(text);
}

function excerpt(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 400)).toString();
  return shorten(JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"'));
}

function shorten(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 160)}…`;
}
