/** The program of a picture worker: it decodes, resizes and normalises pictures one after the other. */
import { parentPort } from 'node:worker_threads';
import { decodePicture } from '../decode-picture.ts';
import { preparePicture } from '../prepare-picture.ts';
import { readPicture } from '../read-picture.ts';
import { Resampler } from '../resample/resampler.ts';
import { loadSharp } from '../sharp.ts';
import { failureMessage, type JobMessage, type OutcomeMessage } from './messages.ts';

const resampler = new Resampler();
const loading = loadSharp();

async function prepare({ bytes, plan, datatype, limits }: JobMessage): Promise<OutcomeMessage> {
  try {
    const open = await loading;
    const { raster, frame } = await decodePicture(readPicture.bind(null, open), bytes, plan, limits);
    const elements = preparePicture({ raster, frame, plan, datatype }, resampler);
    free(raster.data);
    return { kind: 'prepared', picture: { elements, frame } };
  } catch (error) {
    return failureMessage(error);
  }
}

/** Gives memory back at once: it can be 150 MB, and this thread makes so few objects that it seldom collects them. */
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

async function answer(job: JobMessage): Promise<void> {
  const outcome = await prepare(job);
  free(job.bytes);
  parentPort?.postMessage(outcome, outcome.kind === 'prepared' ? [outcome.picture.elements.buffer] : []);
}

parentPort?.on('message', answer);
