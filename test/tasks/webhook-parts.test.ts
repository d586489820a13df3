import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { checkWebhookUrl, publicLookup, type ResolveAll } from '../../src/tasks/webhook/post.ts';
import { isPublicAddress } from '../../src/tasks/webhook/public-address.ts';
import { signatureHeaders } from '../../src/tasks/webhook/signature.ts';

describe('a signature', () => {
  it('is the one that Standard Webhooks gives for its example', () => {
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    const headers = signatureHeaders(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      id,
      1_614_265_330,
      '{"test": 2432232314}',
    );
    expect(headers).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });
});

describe('an address', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '2606:4700:4700::1111',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.0',
    '172.32.0.1',
    '192.88.98.1',
    '198.20.0.1',
    '223.255.255.255',
    '2001:200::1',
    '2003::1',
    '3ffe::1',
  ])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    '127.0.0.1',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    'fd00::1',
    'fe80::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '100.127.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '239.255.255.255',
    '240.0.0.1',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '100::1',
    '100:0:0:1::1',
    '2001::1',
    '2001:1ff:ffff::1',
    '2001:db8::1',
    '2002:808:808::',
    '3fff::1',
    '3fff:fff:ffff::1',
    '4000::1',
    '5f00::1',
    '8000::1',
    'fc00::1',
    'fe80::1%eth0',
    'fec0::1',
    'feff::1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    'localhost',
    '',
  ])('%s is not', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]:80/',
    'http://[::ffff:10.0.0.1]/',
    'ftp://example.com/',
    'http://user:password@example.com/',
  ])('%s is no webhook', (url) => {
    expect(() => checkWebhookUrl(new URL(url), false)).toThrow(expect.objectContaining({ code: 'WEBHOOK_REFUSED' }));
  });
});

describe('the look at a name', () => {
  const look = (addresses: readonly string[], all: boolean) => {
    const resolve: ResolveAll = (_name, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    return new Promise<unknown>((settle, reject) => {
      publicLookup(resolve)('example.com', { all }, (error, found) => (error === null ? settle(found) : reject(error)));
    });
  };

  it('gives the addresses that were checked, and only the public ones', async () => {
    const addresses = ['127.0.0.1', '1.1.1.1', 'fec0::1', '2606:4700::1'];
    expect(await look(addresses, true)).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
    expect(await look(addresses, false)).toBe('1.1.1.1');
  });

  it.each([true, false])('refuses a name without any', async (all) => {
    await expect(look(['10.0.0.1', '::1'], all)).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });
    await expect(look([], all)).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });
  });

  it('is taken once by a connection, which goes to what it gave', async () => {
    let looks = 0;
    const resolve: ResolveAll = (_name, _options, done) => {
      looks += 1;
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const socket = connect({ host: 'rebinding.example', port: 1, lookup: publicLookup(resolve) });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'WEBHOOK_REFUSED' });
    expect(looks).toBe(1);
  });
});
