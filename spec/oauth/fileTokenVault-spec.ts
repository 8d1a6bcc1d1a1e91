import { execFile, execFileSync } from 'node:child_process';
import { closeSync, openSync, promises } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inspect, promisify } from 'node:util';
import { of } from 'rxjs';
import { fileTokenVault, type TokenVault } from '../../src/oauth/fileTokenVault.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { ask } from './fakeEndpoint.js';

const SECRET = 'refresh-token-5d41402a';
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-'));
  path = join(folder, 'token.json');
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

describe('fileTokenVault', () => {
  it("should read what it wrote, from a file that is its owner's alone", async () => {
    const vault = fileTokenVault(path);
    await vault.write({ refresh_token: SECRET });
    expect(await vault.read()).toBe(SECRET);
    expect(await modeOf(path)).toBe('600');
    expect(await readdir(folder)).toEqual(['token.json']);
  });

  it('should write nothing but the refresh token', async () => {
    await fileTokenVault(path).write({ refresh_token: SECRET, access_token: 'T1' } as never);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ refresh_token: SECRET });
  });

  it('should reach the disk, the file and then its name', async () => {
    const probe = await open(folder, 'r');
    const sync = jest.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'sync');
    await probe.close();
    await fileTokenVault(path).write({ refresh_token: SECRET });
    expect(sync).toHaveBeenCalledTimes(2);
    sync.mockRestore();
  });

  it('should leave one whole token however many writes there are at once', async () => {
    const vault = fileTokenVault(path);
    const tokens = Array.from({ length: 20 }, (_, i) => `${SECRET}-${String(i)}`);
    await Promise.all(tokens.map((refresh_token) => vault.write({ refresh_token })));
    expect(tokens).toContain(await vault.read());
    expect(await readdir(folder)).toEqual(['token.json']);
  });

  it('should keep the last of the writes that overlap, and read what it was told to write', async () => {
    const vault = fileTokenVault(path);
    for (let round = 0; round < 20; round++) {
      const writes = ['older', 'old', 'new'].map((token) =>
        vault.write({ refresh_token: `${token}-${String(round)}` }),
      );
      expect(await vault.read()).toBe(`new-${String(round)}`);
      await Promise.all(writes);
      expect(await vault.read()).toBe(`new-${String(round)}`);
    }
  });

  it('should keep the last of the writes to one file, whichever vault they go through, and however the path is written', async () => {
    const [vault, same, relativeOne] = [path, path, relative(process.cwd(), path)].map(fileTokenVault) as [
      TokenVault,
      TokenVault,
      TokenVault,
    ];
    for (let round = 0; round < 20; round++) {
      const writes = [vault, same, relativeOne].map((each, i) =>
        each.write({ refresh_token: `${String(i)}-${String(round)}` }),
      );
      expect(await vault.read()).toBe(`2-${String(round)}`);
      await Promise.all(writes);
      expect(await same.read()).toBe(`2-${String(round)}`);
    }
  });

  it('should keep the last of the writes to one file, by its own path, a link to it and a link to its folder', async () => {
    await writeFile(path, 'r0', { mode: 0o600 });
    const [link, linked] = [join(folder, 'link.json'), `${folder}-linked`];
    await symlink(path, link);
    await symlink(folder, linked);
    try {
      const vaults = [path, link, join(linked, 'token.json')].map(fileTokenVault) as [
        TokenVault,
        TokenVault,
        TokenVault,
      ];
      for (let round = 0; round < 20; round++) {
        const order = [0, 1, 2].map((i) => (i + round) % 3);
        const writes = order.map((i) => vaults[i]!.write({ refresh_token: `${String(i)}-${String(round)}` }));
        const last = `${String(order[2])}-${String(round)}`;
        expect(await vaults[0].read()).toBe(last);
        await Promise.all(writes);
        expect(await vaults[1].read()).toBe(last);
      }
    } finally {
      await rm(linked);
    }
  });

  it('should go on after a write that failed', async () => {
    const vault = fileTokenVault(join(folder, 'sub', 'token.json'));
    const failed = vault.write({ refresh_token: 'lost' });
    await expect(failed).rejects.toThrow('ENOENT');
    await mkdir(join(folder, 'sub'));
    await vault.write({ refresh_token: SECRET });
    expect(await vault.read()).toBe(SECRET);
  });

  it('should leave the old token to a process that dies before the new one is in its place, and never trust what it left', async () => {
    const vault = fileTokenVault(path);
    await vault.write({ refresh_token: 'old-token' });
    const child = join(__dirname, 'fileTokenVault.crash.ts');
    const died = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, path, SECRET], {
      cwd: join(__dirname, '../..'),
    }).catch((error: unknown) => error);
    expect(died).toMatchObject({ signal: 'SIGKILL' });
    const litter = (await readdir(folder)).filter((name) => name !== 'token.json');
    expect(litter).toEqual([expect.stringMatching(/^token\.json\..*\.tmp$/)]);
    expect(await modeOf(join(folder, litter[0]!))).toBe('600');
    expect(await readFile(join(folder, litter[0]!), 'utf8')).toContain(SECRET);
    expect(await fileTokenVault(path).read()).toBe('old-token');
    await fileTokenVault(path).write({ refresh_token: 'next-token' });
    expect(await fileTokenVault(path).read()).toBe('next-token');
  }, 20_000);

  it('should leave the old token, and no litter, when the new one cannot be put in its place', async () => {
    const vault = fileTokenVault(join(folder, 'folder'));
    await rm(folder, { recursive: true });
    await expect(vault.write({ refresh_token: SECRET })).rejects.toThrow('ENOENT');
    folder = await mkdtemp(join(tmpdir(), 'vault-'));
    const blocked = join(folder, 'blocked');
    await writeFile(join(await mkdtemp(`${blocked}-`), 'x'), '');
    const [directory] = await readdir(folder);
    await expect(fileTokenVault(join(folder, directory!)).write({ refresh_token: SECRET })).rejects.toThrow();
    expect(await readdir(folder)).toEqual([directory]);
  });

  const failing = (name: 'rename' | 'open', code: string) => {
    const original = promises[name] as (...given: unknown[]) => Promise<unknown>;
    return jest
      .spyOn(promises as Record<typeof name, typeof original>, name)
      .mockImplementation((...given) =>
        name === 'rename' || given[1] === 'wx'
          ? Promise.reject(Object.assign(new Error(code), { code }))
          : original(...given),
      );
  };

  it.each<[string, 'rename' | 'open', string]>([
    ['is mounted by itself', 'rename', 'EBUSY'],
    ['lies in a folder that is read-only', 'open', 'EROFS'],
    ['lies in a folder that others own', 'open', 'EACCES'],
    ['lies on a disk that is full', 'open', 'ENOSPC'],
    ['lies on a disk of which the owner may use no more', 'open', 'EDQUOT'],
  ])('should write in place where the file %s', async (_what, call, code) => {
    for (const old of ['r1', `{ "refresh_token": "${'long'.repeat(100)}" }\n`]) {
      await writeFile(path, old, { mode: 0o600 });
      const { ino } = await stat(path);
      const broken = failing(call, code);
      try {
        await fileTokenVault(path).write({ refresh_token: `${SECRET}-ü` });
      } finally {
        broken.mockRestore();
      }
      expect((await stat(path)).ino).toBe(ino);
      expect(await readFile(path, 'utf8')).toBe(`{"refresh_token":"${SECRET}-ü"}\n`);
      expect(await fileTokenVault(path).read()).toBe(`${SECRET}-ü`);
      expect(await readdir(folder)).toEqual(['token.json']);
    }
  });

  it('should leave a whole token where it ends after the one write in place', async () => {
    await writeFile(path, `{ "refresh_token": "${'long'.repeat(100)}" }\n`, { mode: 0o600 });
    const probe = await open(folder, 'r');
    const truncate = jest
      .spyOn(Object.getPrototypeOf(probe) as typeof probe, 'truncate')
      .mockRejectedValue(new Error('power cut'));
    await probe.close();
    const broken = failing('rename', 'EBUSY');
    try {
      await expect(fileTokenVault(path).write({ refresh_token: SECRET })).rejects.toThrow('power cut');
    } finally {
      broken.mockRestore();
      truncate.mockRestore();
    }
    expect(await fileTokenVault(path).read()).toBe(SECRET);
  });

  it('should leave the old content where the disk has no room for the longer new one', async () => {
    await writeFile(path, `{ "refresh_token": "r1", "client_id": "gcloud" }\n`, { mode: 0o600 });
    const probe = await open(folder, 'r');
    const handle = Object.getPrototypeOf(probe) as Record<'write' | 'writeFile', typeof probe.write>;
    await probe.close();
    const write = handle.write as (...given: unknown[]) => Promise<{ bytesWritten: number }>;
    /** As much as there is room for is written. */
    async function fill(this: unknown, text: unknown, position: unknown = 0): Promise<never> {
      const fits = Buffer.from(String(text)).subarray(0, Math.max(0, 64 - Number(position)));
      if (fits.length === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      return (await write.call(this, fits, 0, fits.length, position)) as never;
    }
    const full = [
      jest.spyOn(handle, 'write').mockImplementation(fill),
      jest.spyOn(handle, 'writeFile').mockImplementation(async function (this: unknown, text: unknown) {
        await fill.call(this, text);
        return fill.call(this, text, 64);
      }),
    ];
    try {
      await expect(fileTokenVault(path).write({ refresh_token: SECRET.repeat(10) })).rejects.toThrow('no space left');
    } finally {
      for (const mock of full) mock.mockRestore();
    }
    expect(await fileTokenVault(path).read()).toBe('r1');
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ refresh_token: 'r1', client_id: 'gcloud' });
  });

  it('should not write in place what others can read, nor where there is no file', async () => {
    await writeFile(path, 'r1');
    await chmod(path, 0o640);
    const broken = failing('rename', 'EBUSY');
    const closed = failing('open', 'EACCES');
    try {
      await expect(fileTokenVault(path).write({ refresh_token: SECRET })).rejects.toThrow('can be read or written by');
      await rm(path);
      await expect(fileTokenVault(path).write({ refresh_token: SECRET })).rejects.toThrow('EACCES');
    } finally {
      closed.mockRestore();
      broken.mockRestore();
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([0o640, 0o604, 0o660, 0o622, 0o777])('should refuse a file of mode %o', async (mode) => {
    await writeFile(path, SECRET);
    await chmod(path, mode);
    const error = await fileTokenVault(path)
      .read()
      .catch((thrown: unknown) => thrown as Error);
    expect(String(error)).toMatch(`${path} can be read or written by others (mode ${mode.toString(8)})`);
    expect(inspect(error, { showHidden: true })).not.toContain(SECRET);
  });

  it.each([0o640, 0o604, 0o660, 0o622, 0o777])('should not write over a file of mode %o', async (mode) => {
    const content = JSON.stringify({ token_uri: 'https://other.example', refresh_token: SECRET });
    await writeFile(path, content);
    await chmod(path, mode);
    await expect(fileTokenVault(path).write({ refresh_token: 'R2' })).rejects.toThrow(
      `${path} can be read or written by others (mode ${mode.toString(8)})`,
    );
    expect(await readFile(path, 'utf8')).toBe(content);
    expect(await readdir(folder)).toEqual(['token.json']);
  });

  it.each<['read' | 'write']>([['read'], ['write']])(
    'should not wait for ever to %s a FIFO, nor let another vault wait',
    async (what) => {
      execFileSync('mkfifo', ['-m', '600', path]);
      const vault = fileTokenVault(path);
      const failure = vault[what]({ refresh_token: SECRET }).catch((error: unknown) => error);
      const other = fileTokenVault(join(folder, 'other.json')).write({ refresh_token: SECRET });
      const first = await Promise.race([failure, new Promise((resolve) => setTimeout(resolve, 1000))]);
      // One that still waits ends with this.
      closeSync(openSync(path, 'r+'));
      await other;
      expect(first).toMatchObject({ message: `${path} is no regular file` });
    },
  );

  it('should refuse a file that belongs to somebody else, even for root, who could read it', async () => {
    await writeFile(path, SECRET, { mode: 0o600 });
    // What root would see; whoever runs this spec.
    const { geteuid } = process;
    process.geteuid = () => 54_321;
    try {
      await expect(fileTokenVault(path).read()).rejects.toThrow(
        `${path} belongs to another user (uid ${String((await stat(path)).uid)})`,
      );
    } finally {
      process.geteuid = geteuid!;
    }
    expect(await fileTokenVault(path).read()).toBe(SECRET);
  });

  it.each([0o600, 0o400])('should accept a file of mode %o', async (mode) => {
    await writeFile(path, SECRET);
    await chmod(path, mode);
    expect(await fileTokenVault(path).read()).toBe(SECRET);
  });

  it.each([
    ['plain text', `${SECRET}\n`],
    ['JSON', `{ "refresh_token": "${SECRET}" }`],
    ['plain text with a byte order mark', `\uFEFF${SECRET}`],
    ['JSON with a byte order mark', `\uFEFF{ "refresh_token": "${SECRET}" }`],
    ['a JSON string, as jq writes it', `"${SECRET}"\n`],
    ['JSON with blanks around the token', `{ "refresh_token": " ${SECRET}\\n" }`],
    ['a whole token response', `\n{"access_token":"T1","refresh_token":"${SECRET}"}`],
  ])('should read %s that was put there by hand', async (_what, content) => {
    await writeFile(path, content, { mode: 0o600 });
    expect(await fileTokenVault(path).read()).toBe(SECRET);
  });

  it.each([
    ['nothing', ''],
    ['a line break', ' \n'],
    ['an empty object', '{ }\n'],
    ['no token', '{ "refresh_token": null }'],
    ['an empty token', '{ "refresh_token": " " }'],
    ['an empty text', '""'],
  ])(
    'should reject as without a file when it holds %s, so that the user is asked to sign in',
    async (_what, content) => {
      await writeFile(path, content, { mode: 0o600 });
      const vault = fileTokenVault(path);
      const missing = { code: 'ENOENT', message: `${path} holds no refresh token` };
      await expect(vault.read()).rejects.toMatchObject(missing);
      const source = refreshToken({
        tokenEndpoint: 'https://id.example/token',
        clientId: 'cli',
        clientAuth: 'none',
        refreshToken: vault.read,
        onRotate: vault.write,
        reauthenticate: () => of({ access_token: 'T1', refresh_token: SECRET }),
      });
      await expect(ask(source)).resolves.toMatchObject({ access_token: 'T1' });
      expect(await vault.read()).toBe(SECRET);
    },
  );

  it('should keep what else is in a JSON file', async () => {
    const others = { type: 'authorized_user', client_id: 'c', account: { x: 1 } };
    await writeFile(path, JSON.stringify({ ...others, refresh_token: 'old' }), { mode: 0o600 });
    await fileTokenVault(path).write({ refresh_token: SECRET });
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ ...others, refresh_token: SECRET });
  });

  it.each([`{"refresh_token":"${SECRET}",}`, '{"refresh_token":', `"${SECRET}`])(
    'should not write over what may be JSON with a mistake: %s',
    async (content) => {
      await writeFile(path, content, { mode: 0o600 });
      await expect(fileTokenVault(path).write({ refresh_token: 'R2' })).rejects.toThrow(
        `${path} holds JSON with a mistake: correct or delete it`,
      );
      expect(await readFile(path, 'utf8')).toBe(content);
    },
  );

  it('should keep it through a link, and where the file cannot be replaced', async () => {
    const target = join(folder, 'target.json');
    await writeFile(target, '{"client_id":"c","refresh_token":"old"}', { mode: 0o600 });
    await symlink(target, path);
    const rename = jest
      .spyOn(promises, 'rename')
      .mockRejectedValue(Object.assign(new Error('busy'), { code: 'EBUSY' }));
    await fileTokenVault(path).write({ refresh_token: SECRET });
    rename.mockRestore();
    expect(JSON.parse(await readFile(target, 'utf8'))).toEqual({ client_id: 'c', refresh_token: SECRET });
  });

  it.each(['<', '[', "'", 'token='])('should read what it wrote, a token that begins with %s too', async (start) => {
    const vault = fileTokenVault(path);
    await vault.write({ refresh_token: start + SECRET });
    expect(await vault.read()).toBe(start + SECRET);
  });

  it.each([
    ['a list', `["${SECRET}"]`],
    ['a page', `<html>${SECRET}</html>`],
    ['a text in single quotes', `'${SECRET}'`],
    ['an assignment', `REFRESH_TOKEN=${SECRET}`],
    ['an assignment that is exported', `export TOKEN="${SECRET}"`],
    ['a form that asks for a token', `grant_type=refresh_token&refresh_token=${SECRET}`],
    ['a query', `a=${SECRET}&c=d`],
    ['YAML', `refresh_token: ${SECRET}`],
    ['a header', `Bearer ${SECRET}`],
    ['null', 'null'],
    ['undefined', 'undefined'],
    ['a form', `access_token=T1&refresh_token=${SECRET}`],
    ['JSON without a refresh token', `{"access_token":"${SECRET}"}`],
    ['two lines', `${SECRET}\n${SECRET}\n`],
    ['UTF-16, as PowerShell writes it', Buffer.from(`\uFEFF${SECRET}\r\n`, 'utf16le').toString('latin1')],
    ['a JSON string that breaks off', `"${SECRET}`],
    ['JSON that breaks off', `{"refresh_token":"${SECRET}`],
    ['JSON with a comma too many', `{"refresh_token":"${SECRET}",}`],
    ['JSON that is cut short', '{"refresh_token":'],
    ['JSON with a line break in the token', `{"refresh_token":"${SECRET}\\n${SECRET}"}`],
    ['a JSON string with a control character in the token', `"\\u0000${SECRET}"`],
    ['a refresh token of the wrong type', `{"refresh_token":["${SECRET}"]}`],
  ])('should name the file, not its content, when it holds %s', async (_what, content) => {
    await writeFile(path, content, { mode: 0o600, encoding: content.includes('\0') ? 'latin1' : 'utf8' });
    const error = await fileTokenVault(path)
      .read()
      .catch((thrown: unknown) => thrown as Error);
    expect(String(error)).toBe(`Error: ${path} holds no refresh token`);
    expect(inspect(error, { showHidden: true })).not.toContain(SECRET);
  });

  it('should reject when there is no file', async () => {
    await expect(fileTokenVault(path).read()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('should follow a symbolic link, and leave it', async () => {
    const target = join(folder, 'target.json');
    await writeFile(target, 'old', { mode: 0o600 });
    await symlink(target, path);
    const vault = fileTokenVault(path);
    await vault.write({ refresh_token: SECRET });
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await vault.read()).toBe(SECRET);
    expect(await readFile(target, 'utf8')).toContain(SECRET);
  });

  it('should refuse a symbolic link that leads nowhere, and leave it', async () => {
    await symlink(join(folder, 'nowhere'), path);
    await expect(fileTokenVault(path).write({ refresh_token: SECRET })).rejects.toThrow(
      `${path} is a symbolic link that leads nowhere`,
    );
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await readdir(folder)).toEqual(['token.json']);
  });

  it('should not take a path that it cannot follow for a new file', async () => {
    await symlink(path, path);
    await expect(fileTokenVault(path).write({ refresh_token: SECRET })).rejects.toMatchObject({ code: 'ELOOP' });
    expect(await readdir(folder)).toEqual(['token.json']);
  });

  it.each([[{}], [undefined], [null], [{ refresh_token: '' }], [{ refresh_token: 7 }], [SECRET]])(
    'should be refused %j instead of tokens, and keep what it has',
    async (tokens) => {
      const vault = fileTokenVault(path);
      await vault.write({ refresh_token: 'good-token' });
      const error: unknown = await vault.write(tokens as never).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toMatch(/write takes a token response with a refresh_token/);
      expect(String(error)).not.toContain(SECRET);
      expect(await vault.read()).toBe('good-token');
    },
  );

  it.each([[''], [undefined]])('should be refused the path %j at creation', (wrong) => {
    expect(() => fileTokenVault(wrong as string)).toThrow(TypeError);
  });

  it('should say where it cannot work', async () => {
    const { getBuiltinModule } = process;
    process.getBuiltinModule = undefined as never;
    try {
      await expect(fileTokenVault(path).read()).rejects.toThrow('reading and writing files needs Node 20.16 or later');
    } finally {
      process.getBuiltinModule = getBuiltinModule;
    }
  });
});
