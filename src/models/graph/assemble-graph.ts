import { AppError } from '../../errors.ts';
import { hasRules } from '../../inference/graph/check/compile-rules.ts';
import { planGraph } from '../../inference/graph/check/plan-graph.ts';
import { type CompileRule, RuleError } from '../../inference/graph/rules.ts';
import type { GraphEvents } from '../../inference/graph/run/graph-events.ts';
import { GraphPredictor } from '../../inference/graph/run/graph-predictor.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import type { GraphArtifact } from '../artifact.ts';
import { openAskedFace } from '../asked-face.ts';
import type { Assembled, VersionToAssemble } from '../assembled.ts';
import { idleKeys } from '../manifest.ts';
import type { Members } from '../registry/lease.ts';
import type { OpenFace } from '../version-face.ts';
import { GraphBinding, type PredictMember } from './graph-binding.ts';

/** What graphs need beside their members. */
export interface GraphDependencies {
  readonly predictMember: PredictMember;
  /** Asked for where a graph has rules. */
  readonly loadRules: () => Promise<CompileRule>;
  readonly clock: Clock;
  /** What goes on in a graph, to be counted. */
  readonly eventsOf?: ((name: string, version: string) => GraphEvents) | undefined;
}

interface AssembleGraphDependencies extends GraphDependencies {
  readonly openFace?: OpenFace | undefined;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** Keys of the manifest that say how a model runs; the members of a graph have their own. */
const keysOfModels = ['batching', 'instances', 'session', 'memoryLimitMb'] as const;

/** @throws AppError `GRAPH_INVALID` with every fault, `MODEL_NOT_READY` that names the members that are not, `FACE_INVALID` */
export async function assembleGraph(
  { name, manifest: ownManifest, artifact, signal }: VersionToAssemble<GraphArtifact>,
  members: Members,
  { openFace, log, predictMember, loadRules, clock, eventsOf }: AssembleGraphDependencies,
): Promise<Assembled> {
  const { version, definition, root, folders } = artifact;
  if (definition instanceof AppError) throw definition;
  const idle = idleKeys(ownManifest, keysOfModels);
  if (idle.length > 0) {
    log.warn(
      { model: name, version, keys: idle },
      'model.json has keys that mean nothing to a graph: its members have their own',
    );
  }
  const compileRule = hasRules(definition) ? await loadRules() : noRules;
  const binding = new GraphBinding({
    name,
    version,
    definition,
    members,
    planGraph: (graph, member) => planGraph(graph, member, compileRule),
    predictMember,
    log,
  });
  const predictor = new GraphPredictor({
    signature: binding.signature,
    hold: (context) => binding.hold(context),
    health: () => binding.health(),
    independentRows: () => binding.independentRows(),
    clock,
    ...(eventsOf !== undefined && { events: eventsOf(name, version) }),
  });
  const { labels } = binding;
  const manifest = { ...ownManifest, labels: { ...labels, ...ownManifest.labels } };
  const material = { name, version, manifest, graphLabels: labels, root, folders, predictor, example: undefined };
  const face = await openAskedFace(openFace, material, signal);
  return {
    predictor,
    binding,
    labels,
    ...(face !== undefined && { face }),
    identify: async () =>
      (await import('../caching/content-identity.ts')).identityOfGraph(definition, binding, members),
  };
}

const noRules: CompileRule = () => {
  throw new RuleError('The graph has no rules');
};
