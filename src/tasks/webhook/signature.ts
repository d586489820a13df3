import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/**
 * The headers that prove where a message is from and when it was sent, as of the specification Standard Webhooks 1.0:
 * an HMAC with SHA-256 over id, time and body.
 *
 * @param secret `whsec_` and base64, or any text, which is taken as it is
 */
export function signatureHeaders(secret: string, id: string, timestampSeconds: number, body: string) {
  const key = secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': `v1,${signature}`,
  };
}
