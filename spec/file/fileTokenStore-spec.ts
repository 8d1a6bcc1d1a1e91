import { execFileSync } from 'node:child_process';
import fs, {
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { firstValueFrom, map, of, Subject, throwError } from 'rxjs';
import { createTokenStream, isTokenError, type TokenResponse, type TokenStore } from 'rx-fresh-token';
import { fileTokenStore } from 'rx-fresh-token/file';
import { newOwnerName } from '../../src/file/owner.js';
import { parseRecord, serialized, tokenRecord, type TokenRecord } from '../../src/file/record.js';
import { ask, ownFolder, pause, rotatingSource, tokenOf, until } from './support.js';

const place = ownFolder();
// A spec that fails leaves neither a broken file system nor a clock that stands still to the next one.
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});
const open = () => fileTokenStore(place.file);
const content = () => readFileSync(place.file, 'utf8');
const SECRET = 'secret-5d41402a';

const thrown = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('a token whose process was killed before it was in place', () => {
  /** T9 in the lock, complete, as fetched when the file held `base`. */
  function leaveInLock(base: TokenRecord, text = serialized(tokenRecord(newest, 0, base))): string {
    mkdirSync(`${place.file}.lock`);
    const left = join(`${place.file}.lock`, newOwnerName().replace(/^\d+\.\d+/, '999999999.1'));
    writeFileSync(left, text + ' '.repeat(100), { mode: 0o600 });
    return left;
  }
  const newest = { access_token: 'T9', refresh_token: 'R9', expires_in: 3600 };
  const stored = () => parseRecord(content()) as TokenRecord;

  it('should be taken up: nobody else has its refresh token', async () => {
    const { handed, fetch } = rotatingSource();
    const first = tokenOf(await ask(open(), fetch));
    leaveInLock(stored());
    expect((await ask(open(), fetch, first)).response).toEqual(newest);
    expect(handed).toHaveLength(1);
    expect(stored().response).toEqual(newest);
    expect(existsSync(`${place.file}.lock`)).toBe(false);
  });

  it('should be taken up if it was the first one', async () => {
    const { handed, fetch } = rotatingSource();
    leaveInLock(null as never);
    expect((await ask(open(), fetch)).response).toEqual(newest);
    expect(handed).toEqual([]);
  });

  it('should be taken up by one of those who find it at the same time, and serve them all', async () => {
    const { handed, fetch } = rotatingSource();
    const first = tokenOf(await ask(open(), fetch));
    leaveInLock(stored());
    const all = await Promise.all(Array.from({ length: 10 }, () => ask(open(), fetch, first)));
    expect(new Set(all.map(({ response }) => response.access_token))).toEqual(new Set(['T9']));
    expect(handed).toHaveLength(1);
  });

  it.each<[string, 'open' | 'rename', number]>([
    ['read', 'open', 1],
    ['written to the disk', 'open', 2],
    ['renamed', 'rename', 1],
  ])('should not be deleted if it cannot be %s now: the older refresh token is used', async (_what, step, which) => {
    const { handed, fetch } = rotatingSource();
    const first = tokenOf(await ask(open(), fetch));
    leaveInLock(stored());
    const original = promises[step] as (...given: unknown[]) => Promise<unknown>;
    let calls = 0;
    const busy = Object.assign(new Error('busy'), { code: 'EBUSY' });
    const spy = jest.spyOn(promises, step).mockImplementation(((...given: unknown[]) => {
      const isIt = String(given[0]).startsWith(`${place.file}.lock/`) && ++calls === which;
      return isIt ? Promise.reject(busy) : original(...given);
    }) as never);
    const failure = await ask(open(), fetch, first).catch((error: unknown) => error);
    spy.mockRestore();
    expect(failure).toMatchObject({
      code: 'ERR_TOKEN_STORE',
      message: expect.stringContaining('EBUSY') as string,
    });
    expect((await ask(open(), fetch, first)).response).toEqual(newest);
    expect(handed).toHaveLength(1);
  });

  it('should neither be taken up nor deleted while others can read its file', async () => {
    const { handed, fetch } = rotatingSource();
    const first = tokenOf(await ask(open(), fetch));
    const left = leaveInLock(stored());
    chmodSync(left, 0o644);
    await expect(ask(open(), fetch, first)).rejects.toMatchObject({
      code: 'ERR_TOKEN_STORE',
      message: expect.stringContaining(`${left} can be read or written by others (mode 644)`) as string,
    });
    chmodSync(left, 0o600);
    expect((await ask(open(), fetch, first)).response).toEqual(newest);
    expect(handed).toHaveLength(1);
  });

  it.each<[string, (base: TokenRecord) => void]>([
    [
      'another one was stored since',
      (base) => {
        leaveInLock({ ...base, id: 'earlier' });
      },
    ],
    [
      'it is of another session',
      (base) => {
        leaveInLock({ ...base, session: 'earlier' });
      },
    ],
    [
      'it is not complete',
      (base) => {
        leaveInLock(base, serialized(tokenRecord(newest, 0, base)).slice(0, -9));
      },
    ],
    [
      'the file was deleted',
      (base) => {
        leaveInLock(base);
        rmSync(place.file);
      },
    ],
    [
      'the file holds no token of this store',
      (base) => {
        leaveInLock(base, '{"access_token":"T9"}');
      },
    ],
    [
      'others can read the file, and it is blank',
      (base) => {
        chmodSync(leaveInLock(base, ''), 0o644);
      },
    ],
    [
      'others can read the file, and another one was stored since',
      (base) => {
        chmodSync(leaveInLock({ ...base, id: 'earlier' }), 0o644);
      },
    ],
  ])('should not be taken up if %s', async (_why, leave) => {
    const { handed, fetch } = rotatingSource();
    const first = tokenOf(await ask(open(), fetch));
    leave(stored());
    expect((await ask(open(), fetch, first)).response.access_token).toBe('T2');
    expect(handed).toHaveLength(2);
    expect(readdirSync(place.path)).toEqual(['token.json']);
  });
});

it.each([160, 161, 182, 183, 250, 255])('should work with a file name of %d bytes', async (length) => {
  const { fetch } = rotatingSource();
  const file = join(place.path, 'n'.repeat(length));
  const first = tokenOf(await ask(fileTokenStore(file), fetch));
  mkdirSync(await lockOf(file));
  expect((await ask(fileTokenStore(file), fetch, first)).response.access_token).toBe('T2');
  expect(readdirSync(place.path)).toEqual(['n'.repeat(length)]);
});

/** What a store makes beside the file while it fetches. */
async function lockOf(file: string): Promise<string> {
  const names: string[] = [];
  await ask(
    fileTokenStore(file),
    () => {
      names.push(...readdirSync(place.path));
      return throwError(() => new Error('no token'));
    },
    { value: 'T1' } as never,
  ).catch(() => undefined);
  return join(
    place.path,
    names.find((name) => name.endsWith('.lock'))!,
  );
}

describe('an older version of the file that is put back, as by a backup', () => {
  /** As if its token had been asked for so many seconds before. */
  const aged = (text: string, seconds = 2) =>
    text.replace(/"(asked|uptime)":([\d.]+)/g, (_, at, ms) => `"${at}":${Number(ms) - seconds * 1000}`);

  it('should not be seen in the token of a container of the same boot, whose uptime is less', async () => {
    const { handed, fetch } = rotatingSource();
    const [store, other] = [open(), open()];
    await ask(other, fetch, tokenOf(await ask(store, fetch)));
    const ofContainer = content().replace(/"uptime":([\d.]+)/, (_, ms) => `"uptime":${Number(ms) - 2000}`);
    writeFileSync(place.file, ofContainer, { mode: 0o600 });
    const T2 = await ask(store, fetch);
    await ask(store, fetch, tokenOf(T2));
    expect([T2.response.access_token, handed]).toEqual(['T2', [undefined, 'R1', 'R2']]);
  });

  it.each([
    ['two seconds', (text: string) => aged(text)],
    ['less than a second', (text: string) => text],
  ])('should be of no use to a process that knows a token newer by %s: its refresh token is used', async (_by, age) => {
    const { handed, fetch } = rotatingSource();
    const first = open();
    const T1 = await ask(first, fetch);
    const second = open();
    await ask(second, fetch);
    const backup = age(content());
    const T2 = await ask(first, fetch, tokenOf(T1));
    writeFileSync(place.file, backup, { mode: 0o600 });
    expect((await ask(first, fetch, tokenOf(T2))).response.access_token).toBe('T3');
    expect(handed).toEqual([undefined, 'R1', 'R2']);
  });

  it('should not be handed out', async () => {
    const { fetch } = rotatingSource();
    const store = open();
    const T1 = await ask(store, fetch);
    const backup = aged(content());
    await ask(store, fetch, tokenOf(T1));
    writeFileSync(place.file, backup, { mode: 0o600 });
    expect((await ask(store, fetch)).response.access_token).toBe('T3');
  });

  it('should count where it is of another session', async () => {
    const { handed, fetch } = rotatingSource();
    const store = open();
    await ask(store, fetch);
    const other = aged(content(), 3600)
      .replace(/"session":"[^"]*"/, '"session":"another"')
      .replace('"R1"', '"R of another"');
    writeFileSync(place.file, other, { mode: 0o600 });
    await ask(store, fetch, null, 'rejected');
    expect(handed).toEqual([undefined, 'R of another']);
  });
});

describe('a file that cannot be used', () => {
  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['', 'an empty string'],
    [7, 'number'],
    [{}, 'object'],
  ])('should be named at creation when its path is %p', (path, kind) => {
    expect(() => fileTokenStore(path as never)).toThrow(
      new TypeError(`"path" must be a string that is not empty, got ${kind}`),
    );
  });

  it.each<[string, object]>([
    ['option "staleAfter" must be a number, at least 1000, or Infinity, got 10', { staleAfter: 10 }],
    ['option "lifetime" must be a function, got 5', { lifetime: 5 }],
    ['unknown option "stale"', { stale: 5000 }],
  ])('should be a TypeError: %s', (message, options) => {
    expect(() => fileTokenStore(place.file, options)).toThrow(new TypeError(message));
  });

  it.each(['EACCES', 'EPERM', 'EROFS'])('should not be blamed alone for its directory: %s', (code) => {
    const denied = jest.spyOn(fs, 'accessSync').mockImplementation(() => {
      throw Object.assign(new Error('denied'), { code });
    });
    try {
      expect(() => fileTokenStore(place.file)).toThrow(
        `${place.file} and its directory must be readable and writable: ${code}`,
      );
    } finally {
      denied.mockRestore();
    }
  });

  it.each<[string, () => void, string]>([
    ['a directory', () => mkdirSync(place.file), 'is a directory'],
    ['in no directory', () => rmSync(place.path, { recursive: true }), 'does not exist'],
    [
      'readable by others',
      () => {
        writeFileSync(place.file, SECRET, { mode: 0o644 });
        chmodSync(place.file, 0o644);
      },
      'can be read or written by others (mode 644)',
    ],
    ['a link that leads nowhere', () => symlinkSync(join(place.path, 'nothing'), place.file), 'leads nowhere'],
    ['a link that leads to itself', () => symlinkSync(place.file, place.file), 'ELOOP'],
    [
      'of another program',
      () => writeFileSync(place.file, SECRET, { mode: 0o600 }),
      'holds something that this version',
    ],
    [
      'of fileTokenVault',
      () => writeFileSync(place.file, JSON.stringify({ refresh_token: SECRET }), { mode: 0o600 }),
      'holds something that this version',
    ],
    [
      'of a later version',
      () =>
        writeFileSync(place.file, JSON.stringify({ 'rx-fresh-token': 2, response: { refresh_token: SECRET } }), {
          mode: 0o600,
        }),
      'holds something that this version',
    ],
    [
      'far too large',
      () => writeFileSync(place.file, SECRET.repeat(100_000), { mode: 0o600 }),
      'holds something that this version',
    ],
  ])('should be named at creation, and left as it is: %s', (_what, prepare, message) => {
    prepare();
    const before = existsSync(place.file) && statSync(place.file).isFile() ? content() : undefined;
    const error = thrown(open);
    expect(isTokenError(error, 'ERR_TOKEN_STORE')).toBe(true);
    expect((error as Error).message).toContain(place.file);
    expect((error as Error).message).toContain(message);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
    if (before !== undefined) expect(content()).toBe(before);
    mkdirSync(place.path, { recursive: true });
  });

  it.each(['token.json', 'to ken.json', 'to\tken.json', 'to\\ken.json', 'to\nken.json'])(
    'should be refused at creation when it is mounted by itself: %j',
    (name) => {
      const path = join(place.path, name);
      writeFileSync(path, '', { mode: 0o600 });
      // As the kernel writes it: proc_pid_mountinfo(5).
      const escaped = path.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
      const read = fs.readFileSync;
      const spy = jest
        .spyOn(fs, 'readFileSync')
        .mockImplementation((...given: Parameters<typeof read>) =>
          given[0] === '/proc/self/mountinfo'
            ? `36 35 98:0 / ${escaped} rw,noatime - ext3 /dev/root rw\n`
            : read(...given),
        );
      try {
        expect(() => fileTokenStore(path)).toThrow('is mounted by itself');
      } finally {
        spy.mockRestore();
      }
    },
  );

  it('should not be read at creation if it is far too large', () => {
    writeFileSync(place.file, SECRET, { mode: 0o600 });
    truncateSync(place.file, 3_000_000_000); // more than Node can read at once
    expect(thrown(open)).toMatchObject({
      code: 'ERR_TOKEN_STORE',
      message: expect.stringContaining('holds something that this version') as string,
    });
  });

  it('should fail a refresh, without a fetch, when it holds something else later', async () => {
    const store = open();
    writeFileSync(place.file, SECRET, { mode: 0o600 });
    const { fetch, handed } = rotatingSource();
    const failure = await ask(store, fetch).catch((error: unknown) => error);
    expect(isTokenError(failure, 'ERR_TOKEN_STORE')).toBe(true);
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain(SECRET);
    expect([handed, content()]).toEqual([[], SECRET]);
    expect(readdirSync(place.path)).toEqual(['token.json']);
  });

  it('should fail a refresh when it is a FIFO later, and not wait for one who writes to it', async () => {
    const store = open();
    execFileSync('mkfifo', ['-m', '600', place.file]);
    const { fetch, handed } = rotatingSource();
    const failure: unknown = await Promise.race([ask(store, fetch).catch((error: unknown) => error), pause(1000)]);
    // One that still waits ends with this.
    fs.closeSync(fs.openSync(place.file, 'r+'));
    expect(failure).toMatchObject({ message: `${place.file} is no regular file` });
    expect(handed).toEqual([]);
  });

  it('should fail a refresh when its lock is something else', async () => {
    writeFileSync(`${place.file}.lock`, '');
    await expect(ask(open(), rotatingSource().fetch)).rejects.toMatchObject({
      code: 'ERR_TOKEN_STORE',
      message: `${place.file}.lock is no directory, so it is no lock`,
    });
  });
});

describe('a file', () => {
  it('may be empty, or be reached by a symbolic link', async () => {
    const real = join(place.path, 'real.json');
    writeFileSync(real, '', { mode: 0o600 });
    symlinkSync(real, place.file);
    await ask(open(), rotatingSource().fetch);
    expect(readFileSync(real, 'utf8')).toContain('T1');
    expect(readdirSync(place.path).sort()).toEqual(['real.json', 'token.json']);
  });

  it("should be its owner's alone, with nothing beside it", async () => {
    await ask(open(), rotatingSource().fetch);
    expect((statSync(place.file).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(place.path)).toEqual(['token.json']);
  });

  it('should be the only place where a token can be seen', async () => {
    const store = open();
    const names = new Set<string>();
    await ask(store, () => {
      for (const name of readdirSync(place.path, { recursive: true }) as string[]) names.add(name);
      return of({ access_token: SECRET, refresh_token: SECRET, expires_in: 3600 });
    });
    expect(names.size).toBeGreaterThan(0);
    expect([...names].join('\n') + inspect(store, { depth: 9, showHidden: true })).not.toContain(SECRET);
    expect(content()).toContain(SECRET);
  });

  it('should hold nothing new when the fetch fails', async () => {
    await expect(ask(open(), () => throwError(() => new Error('down')))).rejects.toThrow('down');
    expect(readdirSync(place.path)).toEqual([]);
  });

  it.each<[string, object]>([
    ['what JSON cannot hold', { big: 1n }],
    ['more than is read from a file', { id_token: '\u00e9'.repeat(500_000) }],
  ])('should hold nothing new when the fetch brings %s', async (_what, members) => {
    const response = { access_token: 'T1', expires_in: 60, ...members } as TokenResponse;
    await expect(ask(open(), () => of(response))).rejects.toMatchObject({
      code: 'ERR_INVALID_TOKEN_RESPONSE',
      message: expect.stringContaining('cannot be stored') as string,
    });
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('should give the process that fetches what it gives the others: JSON', async () => {
    const response = { access_token: 'T1', expires_in: 60, expiresOn: new Date(0) };
    const stored = { ...response, expiresOn: '1970-01-01T00:00:00.000Z' };
    expect(await ask(open(), () => of(response))).toMatchObject({ origin: 'fetched', response: stored });
    expect(await ask(open(), () => of(response))).toMatchObject({ origin: 'shared', response: stored });
  });

  it('should hand the last refresh token on, whoever refreshes, a rejected or expired one too', async () => {
    const [one, other] = [open(), open()];
    const { fetch, handed } = rotatingSource();
    const first = tokenOf(await ask(one, fetch));
    const second = tokenOf(await ask(other, fetch, first, 'rejected'));
    await ask(one, fetch, second, 'expired');
    expect(handed).toEqual([undefined, 'R1', 'R2']);
  });

  it('should hand out no token whose life the option `lifetime` fails to tell, but its refresh token', async () => {
    const lifetime = ({ access_token }: TokenResponse) => Number(JSON.parse(access_token));
    const store = () => fileTokenStore(place.file, { lifetime });
    await ask(store(), () => of({ access_token: 'opaque', refresh_token: 'R1' }));
    const fetch = jest.fn(() => of({ access_token: '60000' }));
    expect(await ask(store(), fetch)).toMatchObject({ origin: 'fetched', response: { access_token: '60000' } });
    expect(fetch).toHaveBeenCalledWith(expect.objectContaining({ refresh_token: 'R1' }));
  });

  it('should share a renewal that brings the same token again', async () => {
    const fetched: string[] = [];
    const sourceOf = (name: string) => () => {
      fetched.push(name);
      return of({ access_token: 'SAME', expires_in: 60 });
    };
    const [one, other] = [open(), open()];
    const token = tokenOf(await ask(one, sourceOf('one')));
    await ask(other, sourceOf('other'));
    await pause(20);
    await ask(one, sourceOf('one'), token);
    expect(await ask(other, sourceOf('other'), token)).toMatchObject({ origin: 'shared' });
    expect(fetched).toEqual(['one', 'one']);
    // It has been given that one.
    await ask(other, sourceOf('other'), token);
    await ask(one, sourceOf('one'), token, 'rejected');
    expect(fetched).toEqual(['one', 'one', 'other', 'one']);
  });

  it('should say that a token was refused before another is fetched', async () => {
    const store = open();
    const { fetch } = rotatingSource();
    const first = tokenOf(await ask(store, fetch));
    const seen: string[] = [];
    await ask(
      store,
      (last) => {
        seen.push(content());
        return fetch(last);
      },
      first,
      'rejected',
    );
    expect(JSON.parse(seen[0]!)).toMatchObject({ rejected: true, response: { refresh_token: 'R1' } });
    expect(JSON.parse(content())).toMatchObject({ rejected: false });
  });
});

describe('a token that cannot be written', () => {
  /** Of the data only: the lock can be taken. */
  function failWrites(): () => void {
    const { rename } = promises;
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const spy = jest
      .spyOn(promises, 'rename')
      .mockImplementation((from, to) => (to === place.file ? Promise.reject(full) : rename(from, to)));
    return () => {
      spy.mockRestore();
    };
  }

  it('should serve its process, and be written later; nobody presents the used refresh token meanwhile', async () => {
    const [one, other] = [open(), open()];
    const { fetch, handed } = rotatingSource();
    const first = tokenOf(await ask(one, fetch));
    const reported: unknown[] = [];
    const mend = failWrites();
    const second = await ask(one, fetch, first, 'scheduled', (failure) => reported.push(failure));
    expect(second).toMatchObject({ response: { access_token: 'T2' }, origin: 'fetched' });
    expect(reported).toMatchObject([{ code: 'ERR_TOKEN_STORE', message: expect.stringContaining('ENOSPC') as string }]);
    expect(content()).toContain('T1');
    const asked = ask(other, fetch, first);
    await pause(50);
    mend();
    expect((await asked).response.access_token).toBe('T2');
    expect(handed).toEqual([undefined, 'R1']);
  });

  it('should be written later, too, if its process has lost the lock before', async () => {
    const store = open();
    const { fetch } = rotatingSource({ latency: 50 });
    const reported: unknown[] = [];
    const asked = ask(store, fetch, null, 'initial', (failure) => reported.push(failure));
    await until(() => existsSync(`${place.file}.lock`));
    rmSync(`${place.file}.lock`, { recursive: true });
    const mend = failWrites();
    expect((await asked).response.access_token).toBe('T1');
    expect(reported).toHaveLength(1);
    mend();
    await until(() => existsSync(place.file));
    expect(content()).toContain('T1');
  });

  it('should be kept, too, from those who would present the used refresh token, if its process lost the lock', async () => {
    const [one, other] = [open(), open()];
    const { fetch, handed } = rotatingSource({ latency: 50 });
    const first = tokenOf(await ask(one, fetch));
    const asked = ask(one, fetch, first);
    await until(() => handed.length === 2);
    rmSync(`${place.file}.lock`, { recursive: true });
    const mend = failWrites();
    const others = asked.then(() => ask(other, fetch, first));
    // Until it has been tried again.
    await asked;
    await pause(600);
    expect(content()).toContain('T1');
    mend();
    expect((await others).response.access_token).toBe('T2');
    expect(handed).toEqual([undefined, 'R1']);
    await until(() => !existsSync(`${place.file}.lock`));
  });

  it('should be kept for the next fetch of its process, and from others, though it cannot be written for long', async () => {
    const [store, other] = [open(), open()];
    const { fetch, handed } = rotatingSource();
    const first = tokenOf(await ask(store, fetch));
    const mend = failWrites();
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance', 'Date'] });
    const asked = ask(store, fetch, first);
    // Minutes of attempts, each a few turns of the event loop long.
    for (let turn = 0; turn < 20_000; turn++) {
      jest.advanceTimersByTime(10);
      await new Promise(setImmediate);
    }
    jest.useRealTimers();
    const second = tokenOf(await asked);
    const others = ask(other, fetch, first);
    await pause(100);
    const third = tokenOf(await ask(store, fetch, second));
    expect([third.value, handed]).toEqual(['T3', [undefined, 'R1', 'R2']]);
    expect(content()).toContain('R1');
    mend();
    expect((await others).response.access_token).toBe('T3');
    expect(handed).toHaveLength(3);
    await until(() => !existsSync(`${place.file}.lock`));
  });

  it('should be kept, too, if the next fetch fails, and be written later', async () => {
    const [store, other] = [open(), open()];
    const { fetch, handed } = rotatingSource();
    const first = tokenOf(await ask(store, fetch));
    const mend = failWrites();
    const second = tokenOf(await ask(store, fetch, first));
    await expect(ask(store, () => throwError(() => new Error('down')), second, 'rejected')).rejects.toThrow('down');
    mend();
    expect((await ask(other, fetch, first)).response.access_token).toBe('T2');
    expect(handed).toHaveLength(2);
  });

  /** The next attempt to write fails, and no other. */
  const failOnce = () => jest.spyOn(promises, 'rename').mockRejectedValueOnce(new Error('once more'));

  it('should not be preceded by a mark on the older one, if that is the same access token and a server refuses it', async () => {
    const store = open();
    const { fetch, handed } = rotatingSource();
    const same = (last?: TokenResponse | null) =>
      fetch(last).pipe(map((response) => ({ ...response, access_token: 'SAME' })));
    const first = tokenOf(await ask(store, same));
    const mend = failWrites();
    const second = tokenOf(await ask(store, same, first, 'manual'));
    mend();
    const spy = failOnce();
    const seen: string[] = [];
    const failing = () => throwError(() => new Error(`down ${String(seen.push(content()))}`));
    await expect(ask(store, failing, second, 'rejected')).rejects.toThrow('down 1');
    spy.mockRestore();
    expect(JSON.parse(seen[0]!)).toMatchObject({ rejected: false, response: { refresh_token: 'R1' } });
    await until(() => content().includes('R2'));
    expect(handed).toEqual([undefined, 'R1']);
  });

  it('should not leave the lock to others after a failed fetch, though the older one was marked as rejected', async () => {
    const [store, other] = [open(), open()];
    const { fetch, handed } = rotatingSource();
    const first = tokenOf(await ask(store, fetch));
    let mend: () => void = () => undefined;
    const failingLater = (last?: TokenResponse | null) => {
      mend = failWrites();
      return fetch(last);
    };
    const second = tokenOf(await ask(store, failingLater, first, 'rejected'));
    mend();
    const spy = failOnce();
    await expect(ask(store, () => throwError(() => new Error('down')), second)).rejects.toThrow('down');
    spy.mockRestore();
    expect((await ask(other, fetch, first)).response.access_token).toBe('T2');
    expect(handed).toEqual([undefined, 'R1']);
  });

  it('should be written later, too, if its lock is lost meanwhile and cannot be had again', async () => {
    const store = open();
    const { fetch, handed } = rotatingSource();
    const first = tokenOf(await ask(store, fetch));
    const mend = failWrites();
    const second = tokenOf(await ask(store, fetch, first));
    rmSync(`${place.file}.lock`, { recursive: true });
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const spy = jest.spyOn(promises, 'writeFile').mockRejectedValue(full);
    await expect(ask(store, fetch, second)).rejects.toMatchObject({ code: 'ERR_TOKEN_STORE' });
    spy.mockRestore();
    mend();
    await until(() => content().includes('R2'));
    expect(handed).toEqual([undefined, 'R1']);
  });

  it('should not be written any more after a sign-out, or when the file was deleted', async () => {
    for (const end of [(store: TokenStore) => store.signOut!(), () => rmSync(place.file)]) {
      const store = open();
      const { fetch } = rotatingSource();
      const first = tokenOf(await ask(store, fetch));
      const mend = failWrites();
      await ask(store, fetch, first);
      mend();
      end(store);
      const hasToken = () => existsSync(place.file) && content().includes('access_token');
      await until(() => !hasToken());
      // It is tried again after a second.
      await pause(1200);
      expect([hasToken(), existsSync(`${place.file}.lock`)]).toEqual([false, false]);
      rmSync(place.file, { force: true });
    }
  });

  it('should not keep the lock, after a sign-out or when the file was deleted, though it was kept for a second one', async () => {
    for (const end of [(store: TokenStore) => store.signOut!(), () => rmSync(place.file)]) {
      const store = open();
      const { fetch, handed } = rotatingSource();
      const first = tokenOf(await ask(store, fetch));
      const mend = failWrites();
      await ask(store, fetch, tokenOf(await ask(store, fetch, first)));
      mend();
      end(store);
      await until(() => !existsSync(`${place.file}.lock`));
      const beats = jest.spyOn(fs, 'utimesSync');
      await pause(900);
      const count = beats.mock.calls.length;
      beats.mockRestore();
      expect(handed).toEqual([undefined, 'R1', 'R2']);
      expect(count).toBeLessThan(2);
      rmSync(place.file, { force: true });
    }
  });

  it('should not be written after a sign-out that could only empty the file, even the first one', async () => {
    const [store, other] = [open(), open()];
    const { fetch } = rotatingSource();
    const mend = failWrites();
    await ask(store, fetch);
    mend();
    // The other one finds no lock, and stores a token.
    rmSync(`${place.file}.lock`, { recursive: true });
    await ask(other, fetch);
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const spy = jest.spyOn(promises, 'writeFile').mockRejectedValue(full);
    await (store.signOut!() as Promise<void>);
    spy.mockRestore();
    expect(content()).toBe('');
    // It is tried again after a second.
    await pause(1200);
    expect([readdirSync(place.path), content()]).toEqual([['token.json'], '']);
  });

  it('should not be replaced, in its process, by the older one in the file', async () => {
    const store = open();
    const { fetch } = rotatingSource();
    const first = tokenOf(await ask(store, fetch));
    const mend = failWrites();
    const second = tokenOf(await ask(store, fetch, first));
    const third = ask(store, fetch, second, 'manual');
    await pause(50);
    mend();
    expect((await third).response.access_token).toBe('T3');
  });
});

describe('a process that was stopped while it fetched', () => {
  const begin = () => {
    const [slow, quick] = [open(), open()];
    const answer = new Subject<TokenResponse>();
    const { fetch } = rotatingSource();
    return { slow, quick, answer, fetch };
  };
  const old: TokenResponse = { access_token: 'T0', refresh_token: 'R0', expires_in: 3600 };

  it('should not write over what came after it, and take that', async () => {
    const { slow, quick, answer, fetch } = begin();
    const asked = ask(slow, () => answer);
    await until(() => answer.observed);
    rmSync(`${place.file}.lock`, { recursive: true });
    await ask(quick, fetch);
    answer.next(old);
    expect(await asked).toMatchObject({ response: { access_token: 'T1' }, origin: 'shared' });
    expect(content()).toContain('R1');
  });

  it('should write what it has, if nobody has written since: it is the newest refresh token', async () => {
    const { slow, quick, answer } = begin();
    const asked = ask(slow, () => answer);
    await until(() => answer.observed);
    rmSync(`${place.file}.lock`, { recursive: true });
    await expect(ask(quick, () => throwError(() => new Error('invalid_grant')))).rejects.toThrow('invalid_grant');
    answer.next(old);
    expect(await asked).toMatchObject({ response: { access_token: 'T0' }, origin: 'fetched' });
    expect(content()).toContain('R0');
  });

  it('should wait for one who took the lock over', async () => {
    const { slow, quick, answer, fetch } = begin();
    const asked = ask(slow, () => answer);
    await until(() => answer.observed);
    rmSync(`${place.file}.lock`, { recursive: true });
    const other = new Subject<TokenResponse>();
    const taken = ask(quick, () => other);
    await until(() => other.observed);
    answer.next(old);
    await pause(30);
    expect(existsSync(place.file)).toBe(false);
    fetch().subscribe(other);
    expect((await taken).response.access_token).toBe('T1');
    expect((await asked).response.access_token).toBe('T1');
  });
});

describe('sign-out', () => {
  const streams = (count: number) => {
    const { fetch, handed } = rotatingSource();
    const all = Array.from({ length: count }, () => createTokenStream(({ last }) => fetch(last), { store: open() }));
    return { all, handed };
  };

  it('should delete the tokens, and tell the other processes, which stay open', async () => {
    const { all, handed } = streams(3);
    const tokens = await Promise.all(all.map((token$) => firstValueFrom(token$)));
    expect(new Set(tokens.map(({ value }) => value))).toEqual(new Set(['T1']));
    const [one, ...others] = all;
    one!.signOut();
    await until(() => others.every(({ current }) => current === null));
    await until(() => !content().includes('R1'));
    expect(content()).not.toContain('T1');
    expect((await firstValueFrom(others[0]!)).value).toBe('T2');
    expect(handed).toEqual([undefined, undefined]);
    for (const token$ of all) token$.close();
  });

  it('should be said once by the file, and by the store that signed out', async () => {
    const [one, other] = [open(), open()];
    const told: string[] = [];
    const watching = [
      one.signedOut!.subscribe(() => told.push('one')),
      other.signedOut!.subscribe(() => told.push('other')),
    ];
    const { fetch } = rotatingSource();
    await ask(one, fetch);
    await ask(other, fetch);
    one.signOut!();
    await until(() => told.length > 1);
    await pause(50);
    expect(told).toEqual(['one', 'other']);
    for (const each of watching) each.unsubscribe();
  });

  it('should keep what is fetched at that moment from being stored', async () => {
    const [one, other] = [open(), open()];
    const answer = new Subject<TokenResponse>();
    const asked = ask(one, () => answer).catch((error: unknown) => error);
    await until(() => answer.observed);
    other.signOut!();
    await until(() => existsSync(place.file));
    answer.next({ access_token: 'T0', refresh_token: 'R0', expires_in: 3600 });
    expect(await asked).toMatchObject({
      code: 'ERR_TOKEN_STORE',
      message: 'the session was ended while its token was refreshed',
    });
    expect(content()).not.toContain('R0');
  });

  it('should not be followed by a token of the old session that is stored before the file tells of it', async () => {
    const [one, other] = [open(), open()];
    const { fetch } = rotatingSource();
    const first = tokenOf(await ask(one, fetch));
    const told: string[] = [];
    const watching = one.changes!.subscribe(({ response }) => told.push(response.access_token));
    const { mkdir } = promises;
    const locked = new Subject<void>();
    const spy = jest
      .spyOn(promises, 'mkdir')
      .mockImplementationOnce((...given: unknown[]) =>
        firstValueFrom(locked, { defaultValue: undefined }).then(() => mkdir(...(given as Parameters<typeof mkdir>))),
      );
    one.signOut!();
    await until(() => locked.observed);
    expect((await ask(other, fetch, first)).response.access_token).toBe('T2');
    await pause(100);
    locked.next();
    spy.mockRestore();
    expect((await ask(one, fetch)).response.access_token).toBe('T3');
    expect(told).toEqual([]);
    watching.unsubscribe();
  });

  it('should not be undone by a read that began before it', async () => {
    const store = open();
    const { fetch } = rotatingSource();
    await ask(store, fetch);
    const { open: openFile } = promises;
    const goesOn = new Subject<void>();
    const spy = jest.spyOn(promises, 'open').mockImplementationOnce(async (...given) => {
      const file = await openFile(...given);
      const text = await file.readFile('utf8');
      file.readFile = (() => firstValueFrom(goesOn, { defaultValue: text }).then(() => text)) as typeof file.readFile;
      return file;
    });
    const ended: unknown[] = [];
    const watching = store.signedOut!.subscribe((one) => ended.push(one));
    await until(() => goesOn.observed);
    spy.mockRestore();
    store.signOut!();
    await pause(100);
    goesOn.next();
    await ask(store, fetch);
    await pause(50);
    expect(ended).toHaveLength(1);
    watching.unsubscribe();
  });

  /** Holds the first call that `isHeld` picks until the function that it returns is called. */
  function hold(name: 'mkdir' | 'open' | 'rename', isHeld: (...given: unknown[]) => boolean) {
    const original = promises[name] as (...given: unknown[]) => Promise<unknown>;
    const goesOn = new Subject<void>();
    let isFirst = true;
    const spy = jest.spyOn(promises, name).mockImplementation((async (...given: unknown[]) => {
      if (isFirst && isHeld(...given)) {
        isFirst = false;
        await firstValueFrom(goesOn, { defaultValue: undefined });
      }
      return original(...given);
    }) as never);
    return {
      reached: () => until(() => goesOn.observed),
      goOn: () => {
        goesOn.complete();
        spy.mockRestore();
      },
    };
  }

  it('should give no token of its session to those who wait while it is stored', async () => {
    const { all } = streams(1);
    const [token$] = all;
    const held = hold('rename', (_from, to) => to === place.file);
    const token = firstValueFrom(token$!.refresh());
    await held.reached();
    token$!.signOut();
    held.goOn();
    await expect(token).rejects.toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
    await until(() => existsSync(place.file) && !content().includes('R1'));
    token$!.close();
  });

  it('should give no token of the next session to those who wait in the old one', async () => {
    const { all } = streams(2);
    const [one, other] = all;
    await Promise.all(all.map((token$) => firstValueFrom(token$)));
    const held = hold('open', (path) => path === place.file);
    const refreshed = firstValueFrom(one!.refresh());
    await held.reached();
    other!.signOut();
    expect((await firstValueFrom(other!)).value).toBe('T2');
    held.goOn();
    await expect(refreshed).rejects.toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
    expect((await firstValueFrom(one!)).value).toBe('T2');
    for (const token$ of all) token$.close();
  });

  it('should keep the source from being asked by those who take the lock at that moment', async () => {
    const store = open();
    const fetch = jest.fn(rotatingSource().fetch);
    const held = hold('mkdir', () => true);
    const asked = ask(store, fetch).catch((error: unknown) => error);
    await held.reached();
    store.signOut!();
    held.goOn();
    expect(await asked).toMatchObject({ message: 'the session was ended while its token was refreshed' });
    expect(fetch).not.toHaveBeenCalled();
  });

  /** Every call of these fails until the function that it returns is called. */
  function failAll(code: string, ...names: ('mkdir' | 'writeFile' | 'unlink')[]): () => void {
    const failure = Object.assign(new Error(code), { code });
    const spies = names.map((name) => jest.spyOn(promises, name).mockRejectedValue(failure));
    return () => {
      for (const spy of spies) spy.mockRestore();
    };
  }

  /** Nothing can be written, and all can be read. */
  function makeReadOnly(): () => void {
    const mend = failAll('EROFS', 'mkdir', 'unlink');
    const { open: openFile } = promises;
    const spy = jest.spyOn(promises, 'open').mockImplementation((path, flags, mode) => {
      const isToRead = flags === 'r' || (Number(flags) & (constants.O_WRONLY | constants.O_RDWR)) === 0;
      return isToRead
        ? openFile(path, flags, mode)
        : Promise.reject(Object.assign(new Error('EROFS'), { code: 'EROFS' }));
    });
    return () => {
      mend();
      spy.mockRestore();
    };
  }

  it('should be reported when it cannot be written, and be written later', async () => {
    const { all } = streams(1);
    const [token$] = all;
    await firstValueFrom(token$!);
    const failures: unknown[] = [];
    token$!.events.subscribe((event) => event.type === 'refreshFailed' && failures.push(event.message));
    const mend = makeReadOnly();
    token$!.signOut();
    await until(() => failures.length > 0).finally(mend);
    expect(failures).toEqual([expect.stringContaining('EROFS')]);
    await until(() => !content().includes('R1'));
    token$!.close();
  });

  it('should empty the file on a full disk, on which it cannot be written', async () => {
    const [store, other] = [open(), open()];
    const told: string[] = [];
    const watching = [
      store.signedOut!.subscribe(() => told.push('store')),
      other.signedOut!.subscribe(() => told.push('other')),
    ];
    const { fetch, handed } = rotatingSource();
    await ask(other, fetch, tokenOf(await ask(store, fetch)), 'manual');
    const mend = failAll('ENOSPC', 'writeFile');
    await (store.signOut!() as Promise<void>).finally(mend);
    expect([readdirSync(place.path), content()]).toEqual([['token.json'], '']);
    await until(() => told.length > 1);
    await ask(store, fetch);
    await ask(other, fetch);
    expect([told, handed]).toEqual([
      ['store', 'other'],
      [undefined, 'R1', undefined],
    ]);
    for (const each of watching) each.unsubscribe();
  });

  it('should leave a symbolic link to the file of use to the next process, on a full disk too', async () => {
    const link = join(place.path, 'link.json');
    writeFileSync(place.file, '', { mode: 0o600 });
    symlinkSync('token.json', link);
    const store = fileTokenStore(link);
    const { fetch, handed } = rotatingSource();
    await ask(store, fetch);
    const mend = failAll('ENOSPC', 'writeFile');
    await (store.signOut!() as Promise<void>).finally(mend);
    await ask(fileTokenStore(link), fetch);
    expect(handed).toEqual([undefined, undefined]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it('should be seen, and not something else, by one who reads the file while it is emptied', async () => {
    const store = open();
    const { fetch, handed } = rotatingSource();
    await ask(store, fetch);
    await ask(store, fetch);
    const { open: openFile } = promises;
    const spy = jest.spyOn(promises, 'open').mockImplementationOnce(async (...given) => {
      const file = await openFile(...given);
      const half = content().slice(0, 50);
      file.readFile = (() => Promise.resolve(half).finally(() => truncateSync(place.file))) as typeof file.readFile;
      return file;
    });
    await expect(ask(store, fetch).finally(() => spy.mockRestore())).rejects.toMatchObject({
      message: 'the session was ended while its token was refreshed',
    });
    expect((await ask(store, fetch)).response.access_token).toBe('T2');
    expect(handed).toEqual([undefined, undefined]);
  });

  it('should fail the refreshes of its process while the file can be neither written nor emptied', async () => {
    const store = open();
    const { fetch, handed } = rotatingSource();
    await ask(store, fetch);
    const mend = makeReadOnly();
    await expect(store.signOut!()).rejects.toMatchObject({ code: 'ERR_TOKEN_STORE' });
    await expect(ask(store, fetch).finally(mend)).rejects.toMatchObject({
      message: `${place.file} and its directory must be readable and writable: EROFS`,
    });
    await ask(store, fetch);
    expect(handed).toEqual([undefined, undefined]);
  });

  it('should come before the next refresh of its own process', async () => {
    const store = open();
    const { fetch, handed } = rotatingSource();
    await ask(store, fetch);
    store.signOut!();
    await ask(store, fetch);
    expect(handed).toEqual([undefined, undefined]);
  });

  it('should be what it means to delete the file', async () => {
    const { all } = streams(2);
    await Promise.all(all.map((token$) => firstValueFrom(token$)));
    rmSync(place.file);
    await until(() => all.every(({ current }) => current === null));
    for (const token$ of all) token$.close();
  });

  it('should be what it means to delete the file while a token is fetched', async () => {
    const store = open();
    const first = tokenOf(await ask(store, rotatingSource().fetch));
    const answer = new Subject<TokenResponse>();
    const asked = ask(store, () => answer, first).catch((error: unknown) => error);
    await until(() => answer.observed);
    rmSync(place.file);
    answer.next({ access_token: 'T0', refresh_token: 'R0', expires_in: 3600 });
    expect(await asked).toMatchObject({ message: 'the session was ended while its token was refreshed' });
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('should be what it means to delete the file while a fetch for a rejected token fails', async () => {
    const store = open();
    const first = tokenOf(await ask(store, rotatingSource().fetch));
    const answer = new Subject<TokenResponse>();
    const asked = ask(store, () => answer, first, 'rejected').catch((error: unknown) => error);
    await until(() => answer.observed);
    rmSync(place.file);
    answer.error(new Error('the endpoint is down'));
    await asked;
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('should leave alone what somebody else has written', async () => {
    const store = open();
    writeFileSync(place.file, SECRET, { mode: 0o600 });
    store.signOut!();
    await expect(ask(store, rotatingSource().fetch)).rejects.toMatchObject({ code: 'ERR_TOKEN_STORE' });
    expect(content()).toBe(SECRET);
    rmSync(place.file);
    await ask(store, rotatingSource().fetch);
  });
});

describe('what others store', () => {
  it('should be told once each, and not what the process stored itself', async () => {
    const [one, other] = [open(), open()];
    const told: string[] = [];
    const watching = one.changes!.subscribe(({ response }) => told.push(response.access_token));
    const { fetch } = rotatingSource();
    const first = tokenOf(await ask(one, fetch));
    const second = tokenOf(await ask(other, fetch, first));
    await until(() => told.includes('T2'));
    await ask(one, fetch, second);
    await pause(50);
    expect(told).toEqual(['T2']);
    watching.unsubscribe();
  });

  it('should be found by polling where the system does not tell of changes', async () => {
    const [one, other] = [open(), open()];
    const watcher = jest.spyOn(fs, 'watch').mockImplementation(() => {
      throw new Error('no watches left');
    });
    const told = firstValueFrom(one.changes!);
    await ask(other, rotatingSource().fetch);
    expect((await told).response.access_token).toBe('T1');
    watcher.mockRestore();
  });
});
