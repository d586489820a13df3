/** The program of a picture worker: it decodes, resizes and normalises pictures one after the other. */
import { parentPort } from 'node:worker_threads';
import { type DecodedPicture, decodePicture } from '../decode-picture.ts';
import { framePicture } from '../plan/picture-frame.ts';
import { preparePicture } from '../prepare-picture.ts';
import { readPicture } from '../read-picture.ts';
import { Resampler } from '../resample/resampler.ts';
import { loadSharp } from '../sharp.ts';
import { failureMessage, type JobMessage, type OutcomeMessage } from './messages.ts';

const resampler = new Resampler();
const loading = loadSharp();

async function decode({ source, plan, limits }: JobMessage): Promise<DecodedPicture> {
  if (!(source instanceof Uint8Array)) {
    const { width, height } = source;
    return { raster: source, frame: framePicture(plan, { width, height }) };
  }
  const open = await loading;
  return decodePicture(readPicture.bind(null, open), source, plan, limits);
}

async function prepare(job: JobMessage): Promise<OutcomeMessage> {
  const { plan, datatype } = job;
  try {
    const { raster, frame } = await decode(job);
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
  if (job.source instanceof Uint8Array) free(job.source);
  parentPort?.postMessage(outcome, outcome.kind === 'prepared' ? [outcome.picture.elements.buffer] : []);
}

parentPort?.on('message', answer);
