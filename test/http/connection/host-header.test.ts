import { expect, it } from 'vitest';
import { withoutPorts } from '../../../src/http/connection/forwarded-for.ts';
import { temporaryRepository } from '../../helpers/folder.ts';
import { rawExchange } from '../../helpers/raw-exchange.ts';
import { postJson, startReadyServer } from '../../helpers/server.ts';

it('a request with a malformed Host, or several, is refused', async () => {
  await using repository = await temporaryRepository('iris');
  await using server = await startReadyServer({ MODELS_DIR: repository.path });
  const statusFor = async (...lines: string[]) => {
    const raw = await rawExchange(
      server.address,
      ['GET /health/live HTTP/1.1', ...lines, 'Connection: close', '', ''].join('\r\n'),
    );
    return Number(/^HTTP\/1\.1 (\d+)/.exec(raw)?.[1]);
  };
  for (const host of ['localhost', 'a.b:8080', '127.0.0.1', '[::1]:80', 'a_b', 'x%41y', '', 'a:']) {
    expect(await statusFor(`Host: ${host}`), host).toBe(200);
  }
  for (const host of [
    'a b',
    'a/b',
    'user@a',
    'a:b',
    'a:80:80',
    '[::1',
    '::1',
    'a?b',
    'a#b',
    '"><script>',
    'a\\b',
    'x%4',
  ]) {
    expect(await statusFor(`Host: ${host}`), host).toBe(400);
  }
  expect(await statusFor('Host: a', 'Host: a')).toBe(400);
  expect(await statusFor('Host: a', 'host: b')).toBe(400);
  expect(await statusFor('X-A: b')).toBe(400);
});

it.each([
  ['192.0.2.1:5678', '192.0.2.1'],
  ['[2001:db8::1]:443, [2001:db8::2],192.0.2.1', '2001:db8::1, 2001:db8::2, 192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['unknown', 'unknown'],
])('the addresses of X-Forwarded-For: %s are %s', (header, addresses) => expect(withoutPorts(header)).toBe(addresses));

it('a client behind a proxy that writes ports is one caller', async () => {
  await using repository = await temporaryRepository('iris');
  await using server = await startReadyServer({
    MODELS_DIR: repository.path,
    RATE_LIMIT_PER_MINUTE: '1',
    TRUST_PROXY: 'loopback,192.0.2.9',
  });
  const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const from = async (forwardedFor: string) =>
    (await postJson(server.address, '/iris/predict', flower, { 'x-forwarded-for': forwardedFor })).status;
  expect(await from('198.51.100.1:1111')).toBe(200);
  expect(await from('198.51.100.1:2222')).toBe(429);
  expect(await from('198.51.100.1:3333, 192.0.2.9:443')).toBe(429);
  expect(await from('[2001:db8::1]:1')).toBe(200);
  expect(await from('[2001:db8::1]:2')).toBe(429);
});
