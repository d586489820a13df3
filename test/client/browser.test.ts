import { createContext, runInContext } from 'node:vm';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { temporaryRepository } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';
import { startReadyServer } from '../helpers/server.ts';

/** The client in one file, as a bundler makes it for browsers. */
async function bundle(): Promise<string> {
  const lib = { entry: 'src/client/index.ts', formats: ['iife' as const], name: 'inferd' };
  const result = await build({
    root: projectDir,
    configFile: false,
    logLevel: 'silent',
    build: { write: false, minify: false, lib },
  });
  const [first] = Array.isArray(result) ? result : [result];
  if (first === undefined || !('output' in first)) throw new Error('The bundler has made nothing');
  expect(first.output).toHaveLength(1);
  return first.output[0].code;
}

/** What browsers have beside the language, and nothing else. */
const browserGlobals = {
  AbortController,
  AbortSignal,
  Blob,
  clearTimeout,
  CompressionStream,
  fetch,
  Headers,
  performance,
  Response,
  setTimeout,
  TextDecoder,
  TextEncoder,
  URL,
};

describe('the client in a browser', () => {
  it('needs nothing of Node.js', async () => {
    const code = await bundle();
    expect(code).not.toMatch(/node:|require\(|__vite-browser-external|\bprocess\.|\bBuffer\b/);
    expect(code.length).toBeLessThan(64_000);
  });

  it('calls a server where there are the globals of a browser alone', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    const context = createContext({ ...browserGlobals, url: server.address });
    runInContext(await bundle(), context);
    const result = await runInContext(
      `(async () => {
        const client = new inferd.Client({ url, requestCompression: 'gzip', responseCompression: 'gzip' });
        const features = inferd.tensor('FP32', [1, 4], [5.9, 3, 5.1, 1.8]);
        const { outputs } = await client.infer('iris', { features });
        return String(outputs.label.data[0]);
      })()`,
      context,
    );
    expect(result).toBe('2');
  });
});
