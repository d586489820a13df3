import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 2] });

interface InferRequest {
  readonly inputs: readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[];
}

export interface StandIn extends AsyncDisposable {
  readonly url: string;
  /** Headers of every request for an inference. */
  readonly asked: IncomingMessage['headers'][];
  /** Connections that are open. */
  connections(): Promise<number>;
}

export interface StandInOptions {
  /** Answers an inference in its own way. @default the input `x` doubled, as `y` */
  readonly onInfer?: (response: ServerResponse, request: InferRequest) => void;
  /** @default none, so that tensors are JSON */
  readonly extensions?: readonly string[];
}

/** An Open Inference server of the model `doubling`, which a test makes answer what it likes. */
export async function startStandIn({
  onInfer = answerDoubled,
  extensions = [],
}: StandInOptions = {}): Promise<StandIn> {
  const asked: IncomingMessage['headers'][] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    switch (request.url) {
      case '/v2':
        return sendJson(response, { name: 'stand-in', version: '1', extensions });
      case '/v2/models/doubling':
        return sendJson(response, {
          name: 'doubling',
          versions: ['1'],
          platform: 'test',
          inputs: [tensor('x')],
          outputs: [tensor('y')],
        });
      case '/v2/models/doubling/ready':
        return sendJson(response, { name: 'doubling', ready: true });
      case '/v2/models/doubling/infer':
        asked.push(request.headers);
        return onInfer(response, extensions.length > 0 ? { inputs: [] } : JSON.parse(Buffer.concat(chunks).toString()));
      default:
        response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** An answer of one output `y`. */
export function answerOf(output: object): object {
  return { model_name: 'doubling', outputs: [{ name: 'y', datatype: 'FP32', ...output }] };
}

function answerDoubled(response: ServerResponse, { inputs: [x] }: InferRequest): void {
  sendJson(response, answerOf({ shape: x?.shape, data: x?.data.map((value) => 2 * value) }));
}
