import type { ModelCheck } from '../check.ts';
import type { Reply } from '../http-client.ts';
import { readInferReply } from '../infer-reply.ts';
import { jsonRequest } from '../infer-request.ts';
import { describe, expectStatus, readJsonObject, show } from '../json.ts';
import { acceptedExamples, inferJson, type ModelUnderTest, modelPath, plainAnswer } from '../model-under-test.ts';
import { expectSameAnswer } from '../same-tensor.ts';
import { expect, NotTried } from '../verdict.ts';

const section = 'Model Repository Extension';

function order({ server, name }: ModelUnderTest, action: 'load' | 'unload', model = name): Promise<Reply> {
  if (!server.extensions.has('model_repository')) throw new NotTried('the server does not advertise model_repository');
  if (!server.mayControl) throw new NotTried('without --control no model is loaded or unloaded');
  return server.http.send({ method: 'POST', path: `/v2/repository/models/${encodeURIComponent(model)}/${action}` });
}

async function expectServes(model: ModelUnderTest): Promise<void> {
  expectStatus(await ready(model), 200);
  const [example] = acceptedExamples(model);
  const { outputs } = readInferReply(await inferJson(model, jsonRequest(example.inputs)));
  expectSameAnswer(outputs, plainAnswer(example));
}

const ready = ({ server, name }: ModelUnderTest) =>
  server.http.send({ method: 'GET', path: `${modelPath(name)}/ready` });

/** Loading and unloading; tried only where that is allowed. */
export const repositoryChecks: readonly ModelCheck[] = [
  {
    id: 'repository.reload',
    section: `${section}, Load`,
    level: 'MUST',
    says: 'Loading a model that is loaded answers 200, and it serves as before',
    async run(model) {
      expectStatus(await order(model, 'load'), 200);
      await expectServes(model);
    },
  },
  {
    id: 'repository.unload',
    section: `${section}, Unload`,
    level: 'MUST',
    says: 'A model that was unloaded is not ready and refuses requests',
    async run(model) {
      const [example] = acceptedExamples(model);
      expectStatus(await order(model, 'unload'), 200);
      try {
        const readiness = await ready(model);
        expect(readiness.status !== 200, `after unload /ready is ${describe(readiness)}`);
        const reply = await inferJson(model, jsonRequest(example.inputs));
        expect(reply.status >= 400, `after unload /infer is ${describe(reply)}`);
        const { error } = readJsonObject(reply.body);
        expect(typeof error === 'string', `error is ${show(error)}`);
      } finally {
        await order(model, 'load');
      }
    },
  },
  {
    id: 'repository.load',
    section: `${section}, Load`,
    level: 'MUST',
    says: 'A model that was unloaded serves again as soon as its load was answered by 200',
    async run(model) {
      await order(model, 'unload');
      expectStatus(await order(model, 'load'), 200);
      await expectServes(model);
    },
  },
  {
    id: 'repository.load-unknown',
    section: `${section}, Load`,
    level: 'MUST',
    says: 'Loading an unknown model fails, with {"error": text}',
    async run(model) {
      const reply = await order(model, 'load', 'conformance-no-such-model');
      expect(reply.status >= 400, `it was answered by ${describe(reply)}`);
      const { error } = readJsonObject(reply.body);
      expect(typeof error === 'string', `error is ${show(error)}`);
    },
  },
];
