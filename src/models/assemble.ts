import { AppError } from '../errors.ts';
import type { Engine } from '../inference/engine.ts';
import type { Predictor } from '../inference/predictor.ts';
import type { Log } from '../timing/log.ts';
import type { OnnxArtifact } from './artifact.ts';
import type { CodeDependencies } from './assemble-code.ts';
import type { RemoteDependencies } from './assemble-remote.ts';
import type { Assemble, Assembled, VersionToAssemble } from './assembled.ts';
import type { OpenCache } from './caching/open-cache.ts';
import { openLoadSource } from './files/load-source.ts';
import type { GraphDependencies } from './graph/assemble-graph.ts';
import type { Manifest } from './manifest.ts';
import { modelOptions } from './model-options.ts';
import type { Members } from './registry/lease.ts';

export interface AssembleDependencies extends CodeDependencies {
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** @default versions that are made of others cannot be loaded */
  readonly graphs?: GraphDependencies | undefined;
  /** @default versions on other servers cannot be loaded */
  readonly remotes?: RemoteDependencies | undefined;
  /** Asked for with the first version that has a cache. @default answers are not kept, whatever a manifest says */
  readonly openCache?: (() => Promise<OpenCache>) | undefined;
}

/** Puts a cache before what answers for a version whose manifest asks for one. */
async function withCache(
  assembled: Assembled,
  version: VersionToAssemble,
  members: Members,
  { openCache }: AssembleDependencies,
): Promise<Assembled> {
  const { cache } = version.manifest;
  if (cache === undefined || openCache === undefined) return assembled;
  try {
    return await (await openCache())(cache, assembled, version, members);
  } catch (thrown) {
    await endAssembled(assembled);
    throw thrown;
  }
}

async function endAssembled({ predictor, face, release }: Assembled): Promise<void> {
  await predictor.close();
  if (face?.state === 'ready') await face.face.close?.();
  await release?.();
}

/** The one place that knows how a version becomes a predictor, and in which order the predictors before it stand. */
export function createAssemble(dependencies: AssembleDependencies): Assemble {
  const assembleKind: Assemble = async ({ artifact, ...version }, members) => {
    switch (artifact.kind) {
      case 'onnx':
        return assembleOnnx({ ...version, artifact }, dependencies);
      case 'graph': {
        const { graphs, openFace, log } = dependencies;
        if (graphs === undefined) throw notHere('A graph');
        const { assembleGraph } = await import('./graph/assemble-graph.ts');
        return assembleGraph({ ...version, artifact }, members, { ...graphs, openFace, log });
      }
      case 'code': {
        const { assembleCode } = await import('./assemble-code.ts');
        return assembleCode({ ...version, artifact }, dependencies);
      }
      case 'remote': {
        const { remotes, openFace } = dependencies;
        if (remotes === undefined) throw notHere('A remote model');
        const { assembleRemote } = await import('./assemble-remote.ts');
        return assembleRemote({ ...version, artifact }, { ...remotes, openFace });
      }
    }
  };
  return async (version, members) => withCache(await assembleKind(version, members), version, members, dependencies);
}

function notHere(what: string): AppError {
  return new AppError('MODEL_LOAD_FAILED', { message: `${what} cannot be loaded by this command` });
}

/** Half of what there is: it gets a tenth of a processor that another process wants too. */
const niceInBackground = 10;

const noCopy =
  'There is no copy of the external data of the model, so that each runner reads it into its own memory; give the temporary folder more room';

/** @throws AppError `MODEL_LOAD_FAILED` or `FACE_INVALID`; nothing is left then */
export async function assembleOnnx(
  { name, manifest: ownManifest, artifact, isBackground = false, signal }: VersionToAssemble<OnnxArtifact>,
  { loadModel, openFace, log }: AssembleDependencies,
): Promise<Assembled> {
  const { version, root, folders } = artifact;
  const warn = (err: Error) => log.warn({ err, model: name, version }, noCopy);
  const source = await openLoadSource(artifact, { warn, ...(signal !== undefined && { signal }) });
  const { labels, labelClasses, metadata } = source;
  const manifest = { ...ownManifest, labels: { ...labels, ...ownManifest.labels } };
  let model: (Predictor & Engine) | undefined;
  try {
    const options = modelOptions({ name, version }, source, manifest);
    model = await loadModel({ ...options, ...(isBackground && { nice: niceInBackground }) }, signal);
    const strange = strangeLabels(manifest, model);
    if (strange.length > 0) {
      const outputs = model.signature.outputs.map((output) => output.name);
      log.warn(
        { model: name, version, labels: strange, outputs },
        'model.json has labels for outputs that the model does not have',
      );
    }
    const { example } = model;
    const material = {
      name,
      version,
      manifest,
      graphLabels: { ...labelClasses, ...labels },
      metadata,
      root,
      folders,
      predictor: model,
      example,
    };
    const face = await openFace?.(material, signal);
    return {
      predictor: model,
      engine: model,
      labels,
      ...(face !== undefined && { face }),
      identify: once(async () => (await import('./caching/content-identity.ts')).identityOfFiles(artifact, manifest)),
      release: () => source.remove(),
    };
  } catch (thrown) {
    await model?.close();
    await source.remove();
    throw thrown;
  }
}

/** What was found out once is not read again; what could not be is tried again. */
function once(find: () => Promise<string | undefined>): () => Promise<string | undefined> {
  let found: Promise<string | undefined> | undefined;
  return () => {
    found ??= find().catch((thrown: unknown) => {
      found = undefined;
      throw thrown;
    });
    return found;
  };
}

function strangeLabels({ labels }: Manifest, { signature }: Predictor): string[] {
  return Object.keys(labels).filter((label) => !signature.outputs.some(({ name }) => name === label));
}
