import { bareOnnxruntime } from '../contestants/bare-onnxruntime.ts';
import { load } from './closed-loop.ts';
import { addFigure, type Round, type Session, workloadOf } from './session.ts';

/** What inferd adds to a run of tiny when nothing else happens: p50 of one connection − p50 of a bare run. */
export async function measureOneConnection(round: Round, session: Session): Promise<void> {
  const tiny = workloadOf(round, 'tiny');
  if (tiny === undefined) return;
  const { p50Ms } = await load(round, session, tiny, 1);
  const bare = await bareOnnxruntime(tiny, round.modelFiles.tiny, { ...round.options, threads: 1 });
  addFigure(round, 'oneConnection.p50Ms', p50Ms);
  addFigure(round, 'oneConnection.bareRunP50Ms', bare.p50Ms);
  addFigure(round, 'oneConnection.overheadP50Ms', p50Ms - bare.p50Ms);
}
