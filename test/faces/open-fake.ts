import type { ChildProcess } from 'node:child_process';
import { decodeRuns, groupedInstances } from '../../src/domains/typed-request.ts';
import { FaceTools } from '../../src/faces/face-tools.ts';
import { type ModelFace, modelFaceOf } from '../../src/faces/model-face.ts';
import { createOpenFace } from '../../src/faces/open-face.ts';
import { parseManifest } from '../../src/models/manifest.ts';
import type { FaceReport } from '../../src/models/version-face.ts';
import type { ServedModel } from '../../src/serving/served-model.ts';
import type { Signature, Tensors } from '../../src/tensor/tensor.ts';
import { type Clock, systemClock } from '../../src/timing/clock.ts';
import { FakePredictor } from '../helpers/fake-predictor.ts';
import { startFakeTokenizer } from './fake-tokenizer.ts';

export interface FakeVersion {
  readonly signature: Signature;
  /** What the model answers. */
  readonly outputs: (inputs: Tensors) => Tensors;
  /** `model.json` */
  readonly manifest?: object;
  readonly graphLabels?: Record<string, string[]>;
  /** What the graph calls the values of outputs that are labels. */
  readonly labelClasses?: Record<string, string[]>;
  readonly metadata?: ReadonlyMap<string, string>;
  /** Where the files beside the graph lie. */
  readonly folder?: string;
  /** Takes words for tokens, whatever the tokenizer says. @default false: texts are made tokens by the real process */
  readonly words?: boolean;
  /** Starts the text process. @default as `words` says */
  readonly startTexts?: () => ChildProcess;
  /** @default that of the system */
  readonly clock?: Clock;
}

export interface OpenedFace extends AsyncDisposable {
  readonly report: FaceReport;
  /** Every input that the model was given, but for that of the example. */
  readonly asked: () => readonly Tensors[];
  readonly warnings: readonly string[];
  /** Whether a tokenizer is held, or was left behind. */
  readonly hasTokenizer: () => boolean;
  /** Answers JSON instances as the routes do. */
  predict(...instances: unknown[]): Promise<unknown[]>;
  /** The same, with what a request says in its query. */
  predictWith(query: Readonly<Record<string, string>>, ...instances: unknown[]): Promise<unknown[]>;
}

/** Opens the face of a version whose model is a fake. */
export async function openFake(version: FakeVersion): Promise<OpenedFace> {
  const { signature, outputs, graphLabels = {}, metadata = new Map(), folder, clock = systemClock } = version;
  const parsed = parseManifest('model.json', JSON.stringify(version.manifest ?? {}));
  const manifest = { ...parsed, labels: { ...graphLabels, ...parsed.labels } };
  const predictor = new FakePredictor({
    clock,
    signature,
    outcome: (inputs) => ({ outputs: outputs(inputs) }),
  });
  const warnings: string[] = [];
  const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
  const tools = new FaceTools({
    log,
    pictureThreads: 1,
    ...(version.words === true && { startTexts: startFakeTokenizer }),
    ...(version.startTexts !== undefined && { startTexts: version.startTexts }),
  });
  const open = createOpenFace({
    tools,
    clock,
    log,
  });
  const report = await open({
    name: 'm',
    version: '1',
    manifest,
    graphLabels: { ...version.labelClasses, ...graphLabels },
    metadata,
    root: folder ?? '/',
    folders: folder === undefined ? [] : [folder],
    predictor,
    example: undefined,
  });
  const served: ServedModel = { name: 'm', version: '1', signature, manifest, independentRows: true };
  const before = predictor.asked.length;
  const asked = () => predictor.asked.slice(before).map(({ inputs }) => inputs);
  const predictWith: OpenedFace['predictWith'] = async (query, ...instances) => {
    const domain = faceOf(report).domainFor(query);
    const values = instances.map((instance) => domain.input.parse(instance));
    const { signal } = new AbortController();
    const context = { signal, atDeadline: () => () => undefined };
    const terms = { requestId: 'test', signal, deadlineMs: Number.POSITIVE_INFINITY, arrivedAt: 0 };
    const grouped = await groupedInstances(domain, values)?.encode(served, context);
    const groups = grouped ?? [{ inputs: await domain.encode(values, served, context), instances: [...values.keys()] }];
    const runs = await Promise.all(groups.map(async ({ inputs }) => (await predictor.predict(inputs, terms)).outputs));
    const isGrouped = grouped !== undefined && { runs, groups: groups.map((group) => group.instances) };
    return decodeRuns(domain, { model: served, outputs: runs[0] ?? {}, ...isGrouped }, values);
  };
  return {
    report,
    asked,
    warnings,
    hasTokenizer: () => tools.texts.pid !== undefined,
    predict: (...instances) => predictWith({}, ...instances),
    predictWith,
    [Symbol.asyncDispose]: () => tools[Symbol.asyncDispose](),
  };
}

export function faceOf(report: FaceReport): ModelFace {
  const face = report.state === 'ready' ? modelFaceOf(report.face) : undefined;
  if (face === undefined) throw new Error(`no face: ${JSON.stringify(report)}`);
  return face;
}
