import { expect, test } from 'vitest';
import { temporaryDatabase } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { float } from '../helpers/onnx-model.ts';
import { startReadyServer } from '../helpers/server.ts';
import { finishedTask, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';
import { writeModel } from './classifier-model.ts';

const column = { element: float, shape: ['n', 1] };

test('a record with a column of the name instances is one, and a list of that name many', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await temporaryFolder();
  await writeModel(repository.path, 'sum', {
    opsets: { '': 13 },
    inputs: { instances: column, other: column },
    outputs: { y: column },
    nodes: [{ op: 'Add', inputs: ['instances', 'other'], outputs: ['y'] }],
  });
  await using server = await startReadyServer({ MODELS_DIR: repository.path, ...database.environment });
  const { address } = server;
  await whenTasksAreReady(address);
  const resultOf = async (body: object) => {
    const { id } = await finishedTask(address, await submitTask(address, '/sum/tasks', body));
    return (await getJson(address, `/tasks/${id}/result`)).body;
  };
  const record = { instances: 1, other: 2 };
  expect(await resultOf(record)).toEqual({ value: 3 });
  expect(await resultOf({ instances: [record, record] })).toEqual({ predictions: [{ value: 3 }, { value: 3 }] });
});
