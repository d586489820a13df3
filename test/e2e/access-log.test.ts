import { expect, it } from 'vitest';
import { startProcess } from '../helpers/process.ts';
import { postJson } from '../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

it('the access log has a line for every answer, also of those before a SIGTERM', async () => {
  await using server = await startProcess();
  const { address, child, lines, exit } = server;
  const answered: string[] = [];
  let isStopping = false;
  const client = async (name: number) => {
    for (let i = 0; !isStopping; i += 1) {
      const id = `${name}-${i}`;
      await postJson(address, '/iris/predict', flower, { 'x-request-id': id }).then(
        ({ status }) => (status === 200 ? answered.push(id) : 0),
        () => 0,
      );
      if (answered.length >= 500 && !isStopping) {
        isStopping = true;
        child.kill('SIGTERM');
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, name) => client(name)));
  expect(await exit).toEqual([0, null]);
  await server.line(({ msg }) => msg === 'Stopped');
  const logged = new Set(lines.filter(({ status }) => status === 200).map((line) => line['request_id']));
  expect(answered.filter((id) => !logged.has(id))).toEqual([]);
  expect(answered.length).toBeGreaterThanOrEqual(500);
});
