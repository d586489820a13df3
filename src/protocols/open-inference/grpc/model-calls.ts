import * as messages from '../../../open-inference-messages/messages/metadata.ts';
import { modelConfigResponse } from '../../../open-inference-messages/messages/model-config.ts';
import { modelConfig } from '../values/model-config.ts';
import { modelMetadata } from '../values/model-metadata.ts';
import { modelReadiness } from '../values/model-readiness.ts';
import { serverMetadata } from '../values/server-metadata.ts';
import { type UnaryCall, unary } from './call/unary.ts';
import { writeModelConfig } from './model-config.ts';
import { readSelector } from './read-selector.ts';
import type { GrpcServices } from './services.ts';

/** What is told of a model is for keys that may use it. */
const ofModel = { scope: 'infer', model: ({ name }: { readonly name: string }) => name } as const;

/** `ServerLive`, `ServerReady`, `ModelReady`, `ServerMetadata`, `ModelMetadata` and `ModelConfig`. */
export function modelCalls({
  registry,
  readiness,
  version,
}: Pick<GrpcServices, 'registry' | 'readiness' | 'version'>): readonly UnaryCall[] {
  const { empty, modelSelector: request } = messages;
  return [
    unary({ name: 'ServerLive', access: 'open', request: empty, response: messages.live }, () => ({ live: true })),
    unary({ name: 'ServerReady', access: 'open', request: empty, response: messages.ready }, () => ({
      ready: readiness.check().ready,
    })),
    unary({ name: 'ModelReady', access: ofModel, request, response: messages.ready }, (selector) => ({
      ready: modelReadiness(registry, readSelector(selector)).ready,
    })),
    unary(
      { name: 'ServerMetadata', access: { scope: 'infer' }, request: empty, response: messages.serverMetadata },
      () => serverMetadata(version),
    ),
    unary({ name: 'ModelMetadata', access: ofModel, request, response: messages.modelMetadata }, (selector) =>
      modelMetadata(registry, readSelector(selector)),
    ),
    unary({ name: 'ModelConfig', access: ofModel, request, response: modelConfigResponse }, (selector) => ({
      config: writeModelConfig(modelConfig(registry, readSelector(selector))),
    })),
  ];
}
