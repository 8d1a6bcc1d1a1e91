import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { fileToken } from '../../src/oauth/fileToken.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import { ask } from './fakeEndpoint.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-'));
  path = join(folder, 'token');
});
afterEach(() => rm(folder, { recursive: true }));

describe('fileToken', () => {
  it('should read the file for each fetch', async () => {
    const source = fileToken(path);
    await writeFile(path, 'T1');
    expect(await ask(source)).toEqual({ access_token: 'T1' });
    await writeFile(path, 'T2');
    expect(await ask(source)).toEqual({ access_token: 'T2' });
  });

  it.each([' T1\r\n', '\n\tT1\n\n', '\uFEFFT1'])(
    'should drop the white space around the token: %j',
    async (content) => {
      await writeFile(path, content);
      expect(await ask(fileToken(path))).toEqual({ access_token: 'T1' });
    },
  );

  it('should follow the links that Kubernetes swaps', async () => {
    for (const [version, token] of Object.entries({ '..v1': 'T1', '..v2': 'T2' })) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'token'), token);
    }
    await symlink('..v1', join(folder, '..data'));
    await symlink('..data/token', path);
    const source = fileToken(path);
    expect(await ask(source)).toEqual({ access_token: 'T1' });
    await symlink('..v2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, '..v1'), { recursive: true });
    expect(await ask(source)).toEqual({ access_token: 'T2' });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['gone', () => rm(path), 'ENOENT'],
    ['empty', () => writeFile(path, ''), 'is empty'],
    ['white space', () => writeFile(path, ' \n'), 'is empty'],
    ['two lines', () => writeFile(path, 'T1\nT2\n'), 'holds no token, but several words or lines'],
    ['a page', () => writeFile(path, '<!doctype html>\n<title>502</title>'), 'holds no token, but a page'],
    ['a page in one line', () => writeFile(path, '<html>502</html>'), 'holds no token, but a page'],
    [
      "JSON, as Vault's agent wraps it",
      () => writeFile(path, '{"token":"T1","ttl":300}\n'),
      'holds no token, but JSON',
    ],
    ['a JSON string', () => writeFile(path, '"T1"'), 'holds no token, but JSON'],
    ['a form', () => writeFile(path, 'grant_type=x&access_token=T1'), 'holds no token, but a form'],
    ['an assignment', () => writeFile(path, 'TOKEN=T1'), 'holds no token, but an assignment'],
    ['undefined', () => writeFile(path, 'undefined'), 'holds no token, but the name of a value'],
    ['a text', () => writeFile(path, 'jeton-é'), 'holds no token, but characters that no header can carry'],
    [
      'UTF-16, as PowerShell writes it',
      () => writeFile(path, '\ufeffT1\r\n', 'utf16le'),
      'holds no token, but control characters, as of UTF-16',
    ],
    ['a folder', async () => (await rm(path), mkdir(path)), 'EISDIR'],
  ])('should give the last token, and say so, while the file is %s', async (_how, spoil, why) => {
    // Longer than any name of a folder that is made up and stands in the message.
    const last = { access_token: 'the-last-token' };
    await writeFile(path, last.access_token);
    const source = fileToken(path);
    await ask(source);
    await spoil();
    const reported: unknown[] = [];
    expect(await ask(source, { report: (failure) => reported.push(failure) })).toEqual(last);
    expect(await ask(source)).toEqual(last);
    expect(reported.map(String)).toEqual([expect.stringContaining(why)]);
    expect(inspect(reported, { showHidden: true, depth: 5 })).not.toContain(last.access_token);
    await rm(path, { recursive: true, force: true });
    await writeFile(path, 'T2');
    expect(await ask(source)).toEqual({ access_token: 'T2' });
  });

  it('should fail where there has been no token yet, and go on when there is one', async () => {
    const source = fileToken(path);
    await expect(ask(source)).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(path, '\n');
    await expect(ask(source)).rejects.toThrow(`${path} is empty`);
    await writeFile(path, 'T1');
    await chmod(path, 0o444);
    expect(await ask(source)).toEqual({ access_token: 'T1' });
  });

  it('should leave the life of a JWT to the stream', async () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = Buffer.from(JSON.stringify({ iat: now, exp: now + 3600 })).toString('base64url');
    await writeFile(path, `e30.${claims}.s\n`);
    const token$ = createTokenStream(fileToken(path));
    const { value, issuedAt, expiresAt } = await firstValueFrom(token$);
    token$.close();
    expect([value, Math.round((expiresAt - issuedAt) / 60_000)]).toEqual([`e30.${claims}.s`, 60]);
  });

  it.each([
    ['', 'an empty string'],
    [undefined, 'undefined'],
    [7, 'number'],
  ])('should be refused the path %j at creation', (wrong, kind) => {
    expect(() => fileToken(wrong as string)).toThrow(
      new TypeError(`"path" must be a string that is not empty, got ${kind}`),
    );
  });
});
