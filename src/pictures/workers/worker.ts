/** The program of a picture worker: it resizes and normalises pictures one after the other, on a thread of its own. */
import { parentPort } from 'node:worker_threads';
import { preparePicture } from '../prepare-picture.ts';
import { Resampler } from '../resample/resampler.ts';
import type { JobMessage, OutcomeMessage } from './messages.ts';

const resampler = new Resampler();

function answer(job: JobMessage): OutcomeMessage {
  try {
    return { ok: true, elements: preparePicture(job, resampler) };
  } catch (error) {
    return { ok: false, error };
  }
}

parentPort?.on('message', (job: JobMessage) => {
  const outcome = answer(job);
  parentPort?.postMessage(outcome, outcome.ok ? [outcome.elements.buffer] : []);
});
