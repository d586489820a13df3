import { readRemoteFile } from '../../../src/inference/remote/file/read-remote-file.ts';
import { openRemote } from '../../../src/inference/remote/open-remote.ts';
import { systemClock } from '../../../src/timing/clock.ts';
import { modelOptions, recordingLog } from '../models.ts';

/** A model on a server, as its `remote.json` says. */
export function openOn(
  url: string,
  {
    joins = false,
    maxOutputBytes = 2 ** 20,
    remote = {},
  }: { readonly joins?: boolean; readonly maxOutputBytes?: number; readonly remote?: object } = {},
) {
  const text = JSON.stringify({ urls: [url], model: 'doubling', ...remote });
  const { batching, timeoutMs } = modelOptions('doubling', { batching: { enabled: joins } });
  return openRemote(
    {
      name: 'far',
      version: '1',
      remote: readRemoteFile('remote.json', text, new Map()),
      batching,
      timeoutMs,
      maxOutputBytes,
    },
    { clock: systemClock, log: recordingLog() },
  );
}
