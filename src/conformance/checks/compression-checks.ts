import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { ModelCheck } from '../check.ts';
import type { Reply } from '../http-client.ts';
import { readInferReply } from '../infer-reply.ts';
import { binaryRequest, type EncodedBody, encodeBinary, encodeJson, jsonRequest } from '../infer-request.ts';
import { describe, readJsonObject, show } from '../json.ts';
import { acceptedExamples, acceptedInputs, type ModelUnderTest, plainAnswer, sendInfer } from '../model-under-test.ts';
import { expectSameAnswer } from '../same-tensor.ts';
import { expect } from '../verdict.ts';
import { needBinary } from './binary-checks.ts';

const section = 'Triton, Compression';

const compressors = { gzip: gzipSync, deflate: deflateSync };

async function expectTaken(model: ModelUnderTest, coding: keyof typeof compressors, plain: EncodedBody): Promise<void> {
  const headers = { ...plain.headers, 'content-encoding': coding };
  const reply = await sendInfer(model, { headers, body: compressors[coding](plain.body) });
  expectSameAnswer(readInferReply(reply).outputs, plainAnswer(acceptedExamples(model)[0]));
}

function plainRequest(model: ModelUnderTest, acceptEncoding?: string): EncodedBody {
  const { headers, body } = encodeJson(jsonRequest(acceptedInputs(model)));
  return { headers: { ...headers, ...(acceptEncoding !== undefined && { 'accept-encoding': acceptEncoding }) }, body };
}

/** The reply without its compression. */
function decompressed(reply: Reply, allowed: readonly string[]): Reply {
  const coding = reply.headers['content-encoding'] ?? 'identity';
  expect(allowed.includes(coding), `content-encoding is ${show(coding)}, the request allows ${show(allowed)}`);
  if (coding === 'identity') return reply;
  const body = coding === 'gzip' ? gunzipSync(reply.body) : inflateSync(reply.body);
  return { ...reply, body };
}

/** Compressed requests and replies. */
export const compressionChecks: readonly ModelCheck[] = [
  {
    id: 'compression.gzip-request',
    section,
    level: 'SHOULD',
    says: 'A request in gzip is taken',
    run: (model) => expectTaken(model, 'gzip', plainRequest(model)),
  },
  {
    id: 'compression.deflate-request',
    section,
    level: 'SHOULD',
    says: 'A request in deflate, which is the zlib format, is taken',
    run: (model) => expectTaken(model, 'deflate', plainRequest(model)),
  },
  {
    id: 'compression.binary-request',
    section,
    level: 'SHOULD',
    says: 'The JSON length of a compressed request counts before compression',
    async run(model) {
      needBinary(model);
      await expectTaken(model, 'gzip', encodeBinary(binaryRequest(acceptedInputs(model))));
    },
  },
  {
    id: 'compression.reply',
    section: 'RFC 9110 §12.5.3',
    level: 'MUST',
    says: 'A reply is compressed by nothing but what Accept-Encoding allows, and decompresses to the same answer',
    async run(model) {
      for (const coding of ['gzip', 'deflate']) {
        const reply = decompressed(await sendInfer(model, plainRequest(model, coding)), [coding, 'identity']);
        expectSameAnswer(readInferReply(reply).outputs, plainAnswer(acceptedExamples(model)[0]));
      }
    },
  },
  {
    id: 'compression.not-asked-for',
    section: 'RFC 9110 §12.5.3',
    level: 'SHOULD',
    says: 'Without Accept-Encoding, or with identity alone, a reply is not compressed',
    async run(model) {
      for (const accepted of [undefined, 'identity', 'gzip;q=0']) {
        decompressed(await sendInfer(model, plainRequest(model, accepted)), ['identity']);
      }
    },
  },
  {
    id: 'compression.broken',
    section,
    level: 'SHOULD',
    says: 'A body that is not of its Content-Encoding fails with 4xx and an error text',
    async run(model) {
      const { headers, body } = plainRequest(model);
      const whole = gzipSync(body);
      for (const bytes of [body, whole.subarray(0, whole.byteLength - 9)]) {
        const reply = await sendInfer(model, { headers: { ...headers, 'content-encoding': 'gzip' }, body: bytes });
        expectRefused(reply, 499);
      }
    },
  },
  {
    id: 'compression.unknown',
    section: 'RFC 9110 §15.5.16',
    level: 'SHOULD',
    says: 'An unknown Content-Encoding fails with 4xx or 501 and an error text',
    async run(model) {
      const { headers, body } = plainRequest(model);
      expectRefused(await sendInfer(model, { headers: { ...headers, 'content-encoding': 'x-unknown' }, body }), 501);
    },
  },
];

function expectRefused(reply: Reply, mostStatus: number): void {
  expect(
    reply.status >= 400 && reply.status <= mostStatus && reply.status !== 500,
    `it was answered by ${describe(reply)}`,
  );
  const { error } = readJsonObject(reply.body);
  expect(typeof error === 'string', `error is ${show(error)} in ${describe(reply)}`);
}
