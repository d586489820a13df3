import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** A name that only the browser knows: pages from it are of a plain HTTP server on another machine, as it sees it. */
export const remoteHost = 'models.example';

export interface PageVisit extends AsyncDisposable {
  readonly page: Awaited<ReturnType<Browser['newPage']>>;
  /** Errors and warnings of the console, exceptions of scripts, and requests that came to nothing. */
  readonly complaints: readonly string[];
}

export interface TestBrowser extends AsyncDisposable {
  /** Opens a page of a local server as if it were on another machine. */
  visit(address: string, path: string): Promise<PageVisit>;
}

/** A Chromium of its own, without a window; it ends at the end of the scope. */
export async function startBrowser(): Promise<TestBrowser> {
  const quiet = ['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map((what) => `--disable-${what}`);
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: [...quiet, '--no-first-run', `--host-resolver-rules=MAP ${remoteHost} 127.0.0.1`],
  });
  const visit = async (address: string, path: string): Promise<PageVisit> => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (line) => {
      if (line.type() === 'error' || line.type() === 'warning') complaints.push(line.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
    const url = new URL(path, address);
    url.hostname = remoteHost;
    await page.goto(url.href);
    return { page, complaints, [Symbol.asyncDispose]: () => page.close() };
  };
  return { visit, [Symbol.asyncDispose]: () => browser.close() };
}

function findChromium(): string {
  const { CHROMIUM, PATH = '' } = process.env;
  const candidates =
    CHROMIUM === undefined ? PATH.split(delimiter).map((folder) => join(folder, 'chromium')) : [CHROMIUM];
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    `There is no Chromium at ${candidates.join(', ')}: apt-get update && apt-get install -y --no-install-recommends chromium`,
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
