import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { PictureWorkers } from '../pictures/workers/picture-workers.ts';
import { TextProcess } from '../texts/text-process.ts';
import type { Log } from '../timing/log.ts';
import { FaceCounters } from './face-counters.ts';

/** Half the cores, at least one: the runs of models need the others. */
export function defaultPictureThreads(): number {
  return Math.max(1, Math.floor(availableParallelism() / 2));
}

export interface FaceToolsOptions {
  readonly log: Pick<Log, 'warn'>;
  /** Threads that resize pictures. */
  readonly pictureThreads: number;
  /** Starts the process that makes tokens. @default the one of this program */
  readonly startTexts?: () => ChildProcess;
}

/** What faces of all models share; nothing is started before it is needed. */
export class FaceTools implements AsyncDisposable {
  readonly pictures: PictureWorkers;
  readonly texts: TextProcess;
  readonly counters = new FaceCounters();

  constructor({ log, pictureThreads, startTexts }: FaceToolsOptions) {
    this.pictures = new PictureWorkers({ threads: pictureThreads });
    this.texts = new TextProcess({ log, ...(startTexts !== undefined && { start: startTexts }) });
  }

  /** Ends the threads and the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.pictures[Symbol.asyncDispose](), this.texts.close()]);
  }
}
