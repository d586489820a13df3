import type { ModelCheck } from '../check.ts';
import { expectStatus, type Fields, isObject, isStringList, objectOf, show } from '../json.ts';
import { type ModelUnderTest, modelPath } from '../model-under-test.ts';
import { expect, NotTried } from '../verdict.ts';

const datatypes = 'BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 BF16 FP32 FP64 BYTES'.split(' ');

const get = ({ server, name }: ModelUnderTest, path: string, version?: string) =>
  server.http.send({ method: 'GET', path: modelPath(name, version) + path });

/** Metadata, readiness and configuration of a model. */
export const modelChecks: readonly ModelCheck[] = [
  {
    id: 'model.metadata',
    section: 'OIP Model Metadata',
    level: 'MUST',
    says: 'The metadata has name, platform, inputs and outputs',
    run: async (model) => checkMetadata(objectOf(await get(model, '')), model.name),
  },
  {
    id: 'model.versions',
    section: 'OIP Model Metadata',
    level: 'MUST',
    says: 'Every version that is listed has metadata and is ready',
    async run(model) {
      if (model.versions.length === 0) throw new NotTried('the metadata lists no versions');
      for (const version of model.versions) {
        checkMetadata(objectOf(await get(model, '', version)), model.name);
        expectStatus(await get(model, '/ready', version), 200);
      }
    },
  },
  {
    id: 'model.ready',
    section: 'OIP Model Ready',
    level: 'MUST',
    says: 'A model that is ready says so with 200',
    run: async (model) => expectStatus(await get(model, '/ready'), 200),
  },
  {
    id: 'model.ready-body',
    section: 'OIP Model Ready',
    level: 'SHOULD',
    says: 'Readiness of a model answers {"name": …, "ready": true}',
    async run(model) {
      const { name, ready } = objectOf(await get(model, '/ready'));
      expect(name === model.name && ready === true, `name is ${show(name)}, ready is ${show(ready)}`);
    },
  },
  {
    id: 'model.config',
    section: 'Model Configuration Extension',
    level: 'MUST',
    says: 'The configuration of a model has its name',
    async run(model) {
      if (!model.server.extensions.has('model_configuration')) {
        throw new NotTried('the server does not advertise model_configuration');
      }
      const { name } = objectOf(await get(model, '/config'));
      expect(name === model.name, `name is ${show(name)}`);
    },
  },
];

function checkMetadata({ name, versions, platform, inputs, outputs }: Fields, expectedName: string): void {
  expect(name === expectedName, `name is ${show(name)}, not ${show(expectedName)}`);
  expect(typeof platform === 'string', `platform is ${show(platform)}`);
  expect(versions === undefined || isStringList(versions), `versions is ${show(versions)}, not a list of texts`);
  for (const [member, tensors] of Object.entries({ inputs, outputs })) {
    expect(Array.isArray(tensors), `${member} is ${show(tensors)}, not a list`);
    for (const tensor of tensors) checkTensor(tensor, member);
  }
}

function checkTensor(tensor: unknown, member: string): void {
  expect(isObject(tensor), `${member} has ${show(tensor)}, not an object`);
  const { name, datatype, shape } = tensor;
  expect(typeof name === 'string', `${member}: name is ${show(name)}`);
  expect(
    typeof datatype === 'string' && datatypes.includes(datatype),
    `${member}: the datatype of ${show(name)} is ${show(datatype)}`,
  );
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size >= -1);
  expect(isShape, `${member}: the shape of ${show(name)} is ${show(shape)}`);
}
