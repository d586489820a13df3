import type { Engine } from '../inference/engine.ts';
import type { ModelOptions } from '../inference/model-options.ts';
import type { Predictor } from '../inference/predictor.ts';
import type { Log } from '../timing/log.ts';
import type { OnnxArtifact } from './artifact.ts';
import type { Assemble, Assembled, VersionToAssemble } from './assembled.ts';
import { openLoadSource } from './files/load-source.ts';
import type { Manifest } from './manifest.ts';
import { modelOptions } from './model-options.ts';

export interface AssembleDependencies {
  /** The signal ends the load. */
  readonly loadModel: (options: ModelOptions, signal?: AbortSignal) => Promise<Predictor & Engine>;
  readonly log: Pick<Log, 'warn'>;
}

/** The one place that knows how a version becomes a predictor, and in which order the predictors before it stand. */
export function createAssemble(dependencies: AssembleDependencies): Assemble {
  return (version) => {
    switch (version.artifact.kind) {
      case 'onnx':
        return assembleOnnx(version, dependencies);
    }
  };
}

const noCopy =
  'There is no copy of the external data of the model, so that each runner reads it into its own memory; give the temporary folder more room';

/** @throws AppError `MODEL_LOAD_FAILED`; nothing is left then */
export async function assembleOnnx(
  { name, manifest, artifact, signal }: VersionToAssemble<OnnxArtifact>,
  { loadModel, log }: AssembleDependencies,
): Promise<Assembled> {
  const { version } = artifact;
  const warn = (err: Error) => log.warn({ err, model: name, version }, noCopy);
  const source = await openLoadSource(artifact, { warn, ...(signal !== undefined && { signal }) });
  try {
    const model = await loadModel(modelOptions({ name, version }, source, manifest), signal);
    const strange = strangeLabels(manifest, model);
    if (strange.length > 0) {
      const outputs = model.signature.outputs.map((output) => output.name);
      log.warn(
        { model: name, version, labels: strange, outputs },
        'model.json has labels for outputs that the model does not have',
      );
    }
    return { predictor: model, engine: model, labels: source.labels, release: () => source.remove() };
  } catch (thrown) {
    await source.remove();
    throw thrown;
  }
}

function strangeLabels({ labels }: Manifest, { signature }: Predictor): string[] {
  return Object.keys(labels).filter((label) => !signature.outputs.some(({ name }) => name === label));
}
