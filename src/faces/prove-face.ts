import { decodeRuns, groupedInstances } from '../domains/typed-request.ts';
import { toAppError } from '../errors.ts';
import type { PredictContext } from '../inference/predictor.ts';
import type { FaceMaterial } from '../models/version-face.ts';
import { encodeContext } from '../serving/encode-context.ts';
import type { ServedModel } from '../serving/served-model.ts';
import type { Clock } from '../timing/clock.ts';
import { invalidFace } from './face-faults.ts';
import type { CreatedFace } from './face-kind.ts';

export interface ProveOptions {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends the example through all that a request goes through: a face that cannot answer its own documentation is none.
 *
 * @throws AppError `FACE_INVALID` that says at which step it failed, and why
 */
export async function proveFace(
  { domain, check }: Pick<CreatedFace, 'domain' | 'check'>,
  { name, version, manifest, predictor }: FaceMaterial,
  { clock, signal = new AbortController().signal }: ProveOptions,
): Promise<void> {
  const [example] = domain.examples;
  const instance = domain.input.safeParse(example);
  if (!instance.success) throw invalidFace([`its example is no valid request: ${issueText(instance.error.issues)}`]);

  const { signature, independentRows } = predictor;
  const served: ServedModel = { name, version, signature, manifest, independentRows };
  const deadlineMs = clock.now() + manifest.loadTimeoutMs;
  const context: PredictContext = { requestId: 'face-example', signal, deadlineMs, arrivedAt: Date.now() };
  const instances = [instance.data];
  const groups = await step('its example cannot be encoded', async () => {
    const grouped = groupedInstances(domain, instances);
    const encoding = encodeContext(context, clock);
    if (grouped !== undefined) return grouped.encode(served, encoding);
    return [{ inputs: await domain.encode(instances, served, encoding), instances: [0] }];
  });
  const runs = await step('the model refuses its example', () =>
    Promise.all(groups.map(async ({ inputs }) => (await predictor.predict(inputs, context)).outputs)),
  );
  check?.(runs[0] ?? {});
  const isGrouped = domain.encodeGroups !== undefined;
  const results = await step('the answer to its example cannot be decoded', async () =>
    decodeRuns(
      domain,
      {
        model: served,
        outputs: runs[0] ?? {},
        ...(isGrouped && { runs, groups: groups.map((group) => group.instances) }),
      },
      instances,
    ),
  );
  if (results.length !== 1) throw invalidFace([`its example has ${results.length} results, expected 1`]);
  const result = domain.output.safeParse(results[0]);
  if (!result.success) throw invalidFace([`the answer to its example is invalid: ${issueText(result.error.issues)}`]);
}

async function step<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    throw invalidFace([`${what}: ${toAppError(thrown).message}`], thrown);
  }
}

function issueText(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.') || 'it'}: ${message}`).join('; ');
}
