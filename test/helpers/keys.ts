import { join } from 'node:path';
import { hashApiKey, newApiKey } from '../../src/access/api-key.ts';
import { changeKeyFile, type StoredKey } from '../../src/access/key-file.ts';
import { type TemporaryFolder, temporaryFolder } from './folder.ts';

export type KeyOptions = Partial<Pick<StoredKey, 'name' | 'scopes' | 'models' | 'limits' | 'expires'>>;

export interface KeyFile extends TemporaryFolder {
  /** Path of the file. */
  readonly file: string;
  /** Adds a key, which may predict with every model if not said otherwise, and gives it with its id. */
  add(options?: KeyOptions): Promise<{ readonly id: string; readonly key: string }>;
  /** Revokes a key; a server notices that within a second. */
  revoke(id: string): Promise<void>;
}

/** A key file without keys, in a folder of its own that is removed at the end of the scope. */
export async function temporaryKeyFile(): Promise<KeyFile> {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'keys.json');
  await changeKeyFile(file, () => []);
  const add = async (options: KeyOptions = {}) => {
    const { id, key } = newApiKey();
    const hash = `sha256:${hashApiKey(key).toString('hex')}`;
    const created = new Date().toISOString();
    const stored: StoredKey = { id, name: id, hash, scopes: ['infer'], models: 'all', limits: {}, created, ...options };
    await changeKeyFile(file, (keys) => [...keys, stored]);
    return { id, key };
  };
  const revoke = (id: string) => {
    const revoked = new Date().toISOString();
    return changeKeyFile(file, (keys) => keys.map((key) => (key.id === id ? { ...key, revoked } : key)));
  };
  return { ...folder, file, add, revoke };
}
