import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../helpers/browser.ts';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;
let browser: TestBrowser;

beforeAll(async () => {
  repository = await temporaryRepository('iris');
  server = await startReadyServer({ MODELS_DIR: repository.path });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

describe('the documentation, from another machine over plain HTTP', () => {
  it('shows the operations and sends a request, without a complaint', async () => {
    await using visit = await browser.visit(server.address, '/docs');
    const { page, complaints } = visit;
    const operation = page.locator('.opblock', { has: page.locator('[data-path="/iris/predict"]') });
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.execute').click();
    await operation.locator('.live-responses-table .highlight-code').filter({ hasText: 'setosa' }).waitFor();
    expect(await page.title()).toBe('inferd');
    expect(await page.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
