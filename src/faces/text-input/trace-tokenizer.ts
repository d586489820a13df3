import type { Companions } from '../companions.ts';
import type { FaceTrace } from '../face-kind.ts';

/** What is there of the tokenizer that every face of texts needs. */
export function traceTokenizer(companions: Pick<Companions, 'has'>): FaceTrace {
  return companions.has('tokenizer.json') ? 'found' : { missing: 'tokenizer.json is missing' };
}
