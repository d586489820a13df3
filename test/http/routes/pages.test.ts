import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remoteHost, startBrowser, type TestBrowser } from '../../helpers/browser.ts';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { temporaryKeyFile } from '../../helpers/keys.ts';
import { rawExchange } from '../../helpers/raw-exchange.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

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

const asBrowser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

const start = (target: TestServer, headers: Record<string, string>) => fetch(target.address, { headers });

describe('GET /', () => {
  it('leads a browser to the documentation and the models, whose commands work', async () => {
    await using visit = await browser.visit(server.address, '/');
    const { page, complaints } = visit;
    expect(await page.locator('h3').allTextContents()).toEqual(['iris READY']);
    const [command = ''] = await page.locator('pre').allTextContents();
    const local = command.replaceAll(remoteHost, new URL(server.address).hostname);
    const { stdout } = await promisify(execFile)('sh', ['-c', local]);
    expect(JSON.parse(stdout)).toMatchObject({ species: expect.any(String) });
    await page.getByRole('link', { name: 'Documentation' }).click();
    await page.locator('.opblock').first().waitFor();
    expect(complaints).toEqual([]);
  });

  it.each([
    undefined,
    '*/*',
    'application/json',
    'application/json, text/plain, */*',
    'text/html;q=0.5, application/json',
    'text/html;q=0, */*',
  ])('is JSON for a client that accepts %s', async (accept) => {
    const answer = await start(server, accept === undefined ? {} : { accept });
    expect(await answer.json()).toEqual({ status: 'alive' });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('vary')).toBe('Accept');
  });

  it('is a page that no cache takes for the other, with a policy', async () => {
    const answer = await start(server, asBrowser);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('vary')).toBe('Accept');
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    expect((await fetch(server.address, { method: 'HEAD', headers: asBrowser })).status).toBe(200);
  });

  it('says what it must as text, whatever Host says', async () => {
    const raw = await rawExchange(
      server.address,
      'GET / HTTP/1.1\r\nHost: "><script>x</script>\r\nAccept: text/html\r\nConnection: close\r\n\r\n',
    );
    expect(raw).not.toContain('<script>');
  });

  it('lists to a key what the key may see, and to others nothing', async () => {
    await using keys = await temporaryKeyFile();
    const all = await keys.add();
    const none = await keys.add({ models: ['other'] });
    const metrics = await keys.add({ scopes: ['metrics'] });
    await using closed = await startReadyServer({
      MODELS_DIR: repository.path,
      API_KEYS_FILE: keys.file,
      DOCS_PUBLIC: '0',
    });
    const pageFor = async (headers: Record<string, string>) =>
      (await start(closed, { ...asBrowser, ...headers })).text();
    expect(await pageFor({ 'x-api-key': all.key })).toMatch(/iris.*x-api-key: \$INFERD_KEY/s);
    for (const headers of [{}, { 'x-api-key': 'wrong' }, { 'x-api-key': none.key }, { 'x-api-key': metrics.key }]) {
      expect(await pageFor(headers)).not.toContain('iris');
    }
    expect(await pageFor({})).not.toContain('href="docs"');
  });
});
