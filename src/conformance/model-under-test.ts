import type { TensorSpec } from '../tensor/tensor.ts';
import type { Reply } from './http-client.ts';
import { readInferReply } from './infer-reply.ts';
import { type EncodedBody, encodeJson, type InferRequest, type Inputs } from './infer-request.ts';
import type { Answer } from './same-tensor.ts';
import type { ServerUnderTest } from './server-under-test.ts';
import { NotTried } from './verdict.ts';

/** Inputs that were made from the metadata of a model, and what the server said to them. */
export interface Example {
  readonly inputs: Inputs;
  readonly reply: Reply;
}

/** The model that is examined. */
export interface ModelUnderTest {
  readonly server: ServerUnderTest;
  readonly name: string;
  /** Versions that can be asked for. */
  readonly versions: readonly string[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Why nothing can be made of the metadata; undefined if it can be read. */
  readonly problem: string | undefined;
  /** All examples that were tried, as JSON. */
  readonly examples: readonly Example[];
}

/** `/v2/models/{name}`, or that of a version. */
export function modelPath(name: string, version?: string): string {
  const path = `/v2/models/${encodeURIComponent(name)}`;
  return version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
}

/** Sends a body to the model. */
export function sendInfer(model: ModelUnderTest, { headers, body }: EncodedBody, version?: string): Promise<Reply> {
  const path = `${modelPath(model.name, version)}/infer`;
  return model.server.http.send({ method: 'POST', path, headers, body });
}

/** Sends a request of JSON alone. */
export function inferJson(model: ModelUnderTest, request: InferRequest): Promise<Reply> {
  return sendInfer(model, encodeJson(request));
}

/** The examples that the model accepts. @throws NotTried if there is none */
export function acceptedExamples(model: ModelUnderTest): readonly [Example, ...Example[]] {
  const [first, ...others] = model.examples.filter(({ reply }) => reply.status === 200);
  if (first !== undefined) return [first, ...others];
  throw new NotTried(model.problem ?? 'the model accepts no request that is made from its metadata');
}

/** Inputs that the model accepts. @throws NotTried if there are none */
export function acceptedInputs(model: ModelUnderTest): Inputs {
  return acceptedExamples(model)[0].inputs;
}

/** What the model answers to these inputs as JSON. @throws NotMet unless that is a proper answer */
export function plainAnswer({ reply }: Example): Answer {
  return readInferReply(reply).outputs;
}
