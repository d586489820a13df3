import { describe, expect, it } from 'vitest';
import { checkWebhookUrl } from '../../src/tasks/webhook/post.ts';
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
  it.each(['1.1.1.1', '8.8.8.8', '2606:4700:4700::1111', '93.184.216.34'])('%s is public', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );

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
