import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../helpers/folder.ts';

export interface Nginx extends AsyncDisposable {
  readonly address: string;
  /** What nginx has complained about. */
  readonly errors: () => string;
}

/** nginx in front of these ports, configured as docs/security.md says; it ends at the end of the scope. */
export async function startNginx(port: number, upstreamPorts: readonly number[]): Promise<Nginx> {
  const folder = await temporaryFolder();
  const config = join(folder.path, 'nginx.conf');
  await writeFile(config, configuration(folder.path, port, upstreamPorts));
  const child = spawn('nginx', ['-p', folder.path, '-c', config, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(String(chunk)));
  const exit = once(child, 'exit');
  const address = `http://127.0.0.1:${port}`;
  while (!(await fetch(address).catch(() => undefined))) {
    if (child.exitCode !== null) throw new Error(`nginx does not start: ${errors.join('')}`);
  }
  return {
    address,
    errors: () => errors.join('').slice(-1000),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exit;
      await folder[Symbol.asyncDispose]();
    },
  };
}

function configuration(folder: string, port: number, upstreamPorts: readonly number[]): string {
  const servers = upstreamPorts.map((one) => `server 127.0.0.1:${one} max_fails=0;`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  upstream inferd {
    ${servers.join('\n    ')}
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://inferd;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream error timeout http_502 http_503 non_idempotent;
    }
  }
}
`;
}
