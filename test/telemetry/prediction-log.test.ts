import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { loggable } from '../../src/telemetry/loggable.ts';
import { predictionLog } from '../../src/telemetry/prediction-log.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };
const predictions = (server: TestServer) => server.logLines.filter(({ event }) => event === 'prediction');

describe('the prediction log', () => {
  it('is off by default', async () => {
    await using server = await startReadyServer();
    await postJson(server.address, '/iris/predict', flower);
    expect(predictions(server)).toEqual([]);
  });

  it('has one line a prediction, without its inputs', async () => {
    await using server = await startReadyServer({ LOG_PREDICTIONS: '1' });
    await postJson(server.address, '/iris/predict', flower, { 'x-request-id': 'flower-1' });
    await postJson(server.address, '/iris/predict', { sepal_length: 'wide' });
    expect(predictions(server)).toMatchObject([
      { request_id: 'flower-1', model: 'iris', version: '1', batch_rows: 1, total_ms: expect.any(Number) },
    ]);
    expect(predictions(server)[0]).not.toHaveProperty('inputs');
  });

  it('has what the client sent when asked, without the fields that are named', async () => {
    await using server = await startReadyServer({
      LOG_PREDICTIONS: '1',
      LOG_PREDICTION_INPUTS: '1',
      LOG_PREDICTION_REDACT: 'sepal_length, probabilities',
    });
    await postJson(server.address, '/iris/predict', flower);
    await postJson(server.address, '/models/iris/predict', { features: [[5.9, 3, 5.1, 1.8]] });
    const [typed, tensors] = predictions(server);
    expect(typed?.['inputs']).toEqual([{ ...flower, sepal_length: '[redacted]' }]);
    expect(typed?.['outputs']).toMatchObject({ probabilities: '[redacted]' });
    expect(tensors?.['inputs']).toMatchObject({ features: { datatype: 'FP32', shape: [1, 4] } });
  });

  it('takes as many as the share says', () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const draws = [0.1, 0.24, 0.25, 0.9];
    const write = predictionLog({ log, share: 0.25, inputs: false, redact: [], random: () => draws.shift() ?? 1 });
    const timings = { queueMs: 0, inferMs: 1, batchRows: 1 };
    for (const requestId of ['a', 'b', 'c', 'd']) {
      write({ requestId, model: 'm', version: '1', totalMs: 1, timings, inputs: {}, outputs: {} });
    }
    expect(lines.map((line) => JSON.parse(line).request_id)).toEqual(['a', 'b']);
  });
});

describe('loggable', () => {
  const none = new Set<string>();

  it('cuts what is long and counts bytes', () => {
    const value = { list: Array(100).fill(1), text: 'x'.repeat(2000), bytes: new Uint8Array(7), whole: 1n };
    const { list, text, bytes, whole } = loggable(value, none) as Record<string, unknown>;
    expect(list).toHaveLength(65);
    expect(text).toHaveLength(1025);
    expect([bytes, whole]).toEqual([{ bytes: 7 }, '1']);
  });

  it('hides a field wherever it stands', () => {
    const value = [{ name: 'Ann', home: { name: 'Oslo', zip: 1 } }];
    expect(loggable(value, new Set(['name']))).toEqual([{ name: '[redacted]', home: { name: '[redacted]', zip: 1 } }]);
  });

  it('ends with what holds itself', () => {
    const ring: Record<string, unknown> = {};
    ring['ring'] = ring;
    expect(JSON.stringify(loggable(ring, none))).toContain('…');
  });
});
