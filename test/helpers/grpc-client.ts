import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const file = (name: string) => new URL(`../../docs/proto/${name}.proto`, import.meta.url).pathname;

// Another implementation of the wire format than the server's, made from the published files.
const definition = loadSync([file('inference'), file('health')], {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

type Message = Record<string, unknown>;
type Options = { deadline?: number };
type Unary = (
  request: Message,
  metadata: Metadata,
  options: Options,
  callback: (error: ServiceError | null, response: Message) => void,
) => { cancel(): void; on(event: 'metadata', listener: (metadata: Metadata) => void): void };

export interface Call {
  readonly response: Promise<Message>;
  /** What comes before the response; it never does where the call fails. */
  readonly metadata: Promise<Metadata>;
  cancel(): void;
}

export interface GrpcClient extends Disposable {
  /** Calls a method, and gives its response. */
  call(method: string, request?: Message, options?: Options & { metadata?: Record<string, string> }): Promise<Message>;
  /** As {@link call}, for a call that may be cancelled. */
  begin(method: string, request?: Message, options?: Options & { metadata?: Record<string, string> }): Call;
  stream(metadata?: Record<string, string>): ClientDuplexStream<Message, Message>;
  watch(service: string): ClientReadableStream<Message>;
}

/** A client of the gRPC server on that port of this machine. */
export function grpcClient(port: number | undefined): GrpcClient {
  const services = loadPackageDefinition(definition) as unknown as {
    inference: { GRPCInferenceService: new (...args: unknown[]) => Client };
    grpc: { health: { v1: { Health: new (...args: unknown[]) => Client } } };
  };
  const limits = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
  const connect = (service: new (...args: unknown[]) => Client) =>
    new service(`127.0.0.1:${port}`, credentials.createInsecure(), limits);
  const inference = connect(services.inference.GRPCInferenceService);
  const health = connect(services.grpc.health.v1.Health);

  const begin: GrpcClient['begin'] = (method, request = {}, { metadata: own = {}, ...options } = {}) => {
    const target = (method === 'Check' ? health : inference) as unknown as Record<string, Unary>;
    const sent = metadataOf(own);
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const call = target[method]?.(request, sent, options, (error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
    const metadata = new Promise<Metadata>((received) => call?.on('metadata', received));
    return { response: promise, metadata, cancel: () => call?.cancel() };
  };
  return {
    begin,
    call: (...args) => begin(...args).response,
    stream: (metadata = {}) =>
      (
        inference as unknown as { ModelStreamInfer(sent: Metadata): ClientDuplexStream<Message, Message> }
      ).ModelStreamInfer(metadataOf(metadata)),
    watch: (service) =>
      (health as unknown as { Watch(request: Message): ClientReadableStream<Message> }).Watch({ service }),
    [Symbol.dispose]: () => {
      inference.close();
      health.close();
    },
  };
}

function metadataOf(values: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}
