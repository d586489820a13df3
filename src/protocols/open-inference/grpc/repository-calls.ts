import { AppError } from '../../../errors.ts';
import { empty } from '../../../open-inference-messages/messages/metadata.ts';
import {
  repositoryIndexRequest,
  repositoryIndexResponse,
  repositoryModelRequest,
} from '../../../open-inference-messages/messages/repository.ts';
import { quote } from '../../../tensor/malformed-tensor.ts';
import { readUpload } from '../values/load-parameters.ts';
import { type UnaryCall, unary } from './call/unary.ts';
import { loadParameters } from './load-parameters.ts';
import type { GrpcServices } from './services.ts';

const ofModel = { scope: 'admin', model: ({ modelName }: { modelName: string }) => modelName } as const;

/** `RepositoryIndex`, `RepositoryModelLoad` and `RepositoryModelUnload`. */
export function repositoryCalls({
  control,
  allowModelUpload,
}: Pick<GrpcServices, 'control' | 'allowModelUpload'>): readonly UnaryCall[] {
  return [
    unary(
      {
        name: 'RepositoryIndex',
        access: { scope: 'admin' },
        request: repositoryIndexRequest,
        response: repositoryIndexResponse,
      },
      async ({ repositoryName, ready }) => {
        refuseRepository(repositoryName);
        const models = await control.index();
        return { models: models.filter(({ state }) => !ready || state === 'READY') };
      },
    ),
    unary(
      { name: 'RepositoryModelLoad', access: ofModel, request: repositoryModelRequest, response: empty },
      async ({ repositoryName, modelName, parameters }) => {
        refuseRepository(repositoryName);
        await control.load(modelName, readUpload(loadParameters(parameters), allowModelUpload));
        return {};
      },
    ),
    unary(
      { name: 'RepositoryModelUnload', access: ofModel, request: repositoryModelRequest, response: empty },
      async ({ repositoryName, modelName }) => {
        refuseRepository(repositoryName);
        await control.unload(modelName);
        return {};
      },
    ),
  ];
}

/** There is one repository, which has no name. */
function refuseRepository(name: string): void {
  if (name === '') return;
  const message = `There is no repository ${quote(name)}; leave repository_name empty`;
  throw new AppError('MODEL_NOT_FOUND', { message, received: name, expected: '' });
}
