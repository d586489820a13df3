import { readFile } from 'node:fs/promises';
import type { Clock } from './clock.ts';
import { RepeatingJob } from './repeating-job.ts';

export interface FollowOptions {
  readonly paths: readonly string[];
  /** Contents of the files as they are known. */
  readonly initial: readonly Buffer[];
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Time between two looks. */
  readonly intervalMs: number;
  /** Gets the contents of all files when one has changed. What it throws goes to `onProblem`. */
  readonly onChange: (contents: readonly Buffer[]) => void;
  readonly onProblem: (error: unknown) => void;
}

/**
 * Calls back when a file has other contents, until the returned function is called. It looks instead of being told:
 * mounted secrets are replaced by links to new folders, which a watch of the file does not see.
 */
export function followFiles(options: FollowOptions): () => void {
  const { paths, clock, intervalMs, onChange, onProblem } = options;
  let known = options.initial;
  let problem: string | undefined;
  let stopped = false;

  const look = async () => {
    const contents = await Promise.all(paths.map((path) => readFile(path)));
    problem = undefined;
    if (stopped || contents.every((content, index) => known[index]?.equals(content))) return;
    known = contents;
    onChange(contents);
  };
  const onError = (error: unknown) => {
    // A file that stays away is a problem once, not at every look.
    if (String(error) !== problem) onProblem(error);
    problem = String(error);
  };
  const looks = new RepeatingJob(look, { intervalMs, clock, onError });
  return () => {
    stopped = true;
    void looks.close();
  };
}
