import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs, {
  closeSync,
  mkdirSync,
  openSync,
  promises,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { asyncScheduler } from 'rxjs';
import { createFileLock, type HeldLock } from '../../src/file/lock.js';
import { newOwnerName, ownerOf } from '../../src/file/owner.js';
import { createTimers } from '../../src/internal/time/timers.js';
import { ownFolder, pause, until } from './support.js';

const place = ownFolder();
const fileLock = (staleAfter = 60_000) => createFileLock(place.file, staleAfter, createTimers(asyncScheduler));
const lockFolder = () => `${place.file}.lock`;
const content = () => readFileSync(place.file, 'utf8');

/** The name of a process of this machine that has ended. */
const goneName = () => newOwnerName().replace(/^\d+\.\d+/, '999999999.1');
/** The name of a process of which this machine knows nothing. */
const foreignName = () => `1.1.${'0'.repeat(16)}.${randomUUID()}`;

function leaveBehind(...names: string[]): void {
  mkdirSync(lockFolder());
  for (const name of names) writeFileSync(join(lockFolder(), name), '');
}

const acquire = async (from = fileLock()): Promise<HeldLock> => {
  const lock = await from.tryAcquire();
  if (!lock) throw new Error('the lock is not free');
  return lock;
};

describe('the lock', () => {
  it('should have one holder at a time', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => fileLock().tryAcquire()));
    const [holder, ...others] = all.filter((lock) => lock !== null);
    expect(others).toEqual([]);
    expect(await fileLock().tryAcquire()).toBeNull();
    await holder!.release();
    await (await acquire()).release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('should be taken over for a file whose name has a backslash', async () => {
    const file = join(place.path, 'a\\b.json');
    mkdirSync(`${file}.lock`);
    writeFileSync(join(`${file}.lock`, goneName()), '');
    const lock = await acquire(createFileLock(file, 60_000, createTimers(asyncScheduler)));
    expect(await lock.commit('new')).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('should reserve more than the present content takes: on a full disk its holder can still write', async () => {
    writeFileSync(place.file, 'x'.repeat(500_000));
    const lock = await acquire();
    expect(statSync(join(lockFolder(), readdirSync(lockFolder())[0]!)).size).toBeGreaterThan(500_000);
    await lock.release();
  });

  it('should be open to its owner, and to nobody else, whatever the umask', async () => {
    const umask = process.umask(0o777);
    try {
      const lock = await acquire();
      const [file] = readdirSync(lockFolder());
      const modes = [lockFolder(), join(lockFolder(), file!)].map((path) => (statSync(path).mode & 0o777).toString(8));
      expect(modes).toEqual(['700', '600']);
      await lock.release();
    } finally {
      process.umask(umask);
    }
  });

  it('should put the content in its place and be free, in one step', async () => {
    expect(await (await acquire()).commit('new')).toBe(true);
    expect(content()).toBe('new');
    expect((statSync(place.file).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(place.path)).toEqual(['token.json']);
  });

  it('should reach the disk, the file and then its name', async () => {
    const probe = await promises.open(place.path, 'r');
    const sync = jest.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'sync');
    await probe.close();
    await (await acquire()).commit('new');
    expect(sync).toHaveBeenCalledTimes(2);
    sync.mockRestore();
  });

  it('should be taken over at once from one that is gone, by one of those who want it', async () => {
    for (let round = 0; round < 10; round++) {
      leaveBehind(goneName());
      const all = await Promise.all(Array.from({ length: 5 }, () => fileLock().tryAcquire()));
      const holders = all.filter((lock) => lock !== null);
      expect(holders).toHaveLength(1);
      await holders[0]!.release();
    }
  });

  it('should not let one who was slow to take it over delete the file of the one who was quicker', async () => {
    const gone = goneName();
    leaveBehind(gone);
    const unlink = jest.spyOn(promises, 'unlink').mockImplementationOnce(async (path) => {
      unlink.mockRestore();
      // Meanwhile another takes it over, and holds it.
      quicker = await acquire();
      await promises.unlink(path);
    });
    let quicker: HeldLock | undefined;
    expect(await fileLock().tryAcquire()).toBeNull();
    expect(await quicker!.commit('of the quicker')).toBe(true);
  });

  it('should not let one who lost it write', async () => {
    const late = await acquire();
    await fileLock().evict();
    const next = await acquire();
    expect(await late.commit('late')).toBe(false);
    expect(await next.commit('next')).toBe(true);
    expect(await late.commit('late')).toBe(false);
    expect(content()).toBe('next');
  });

  it('should not let one write who lost it between the writing and the renaming', async () => {
    const late = await acquire();
    const rename = jest.spyOn(promises, 'rename').mockImplementationOnce(async (from, to) => {
      rename.mockRestore();
      await fileLock().evict();
      await (await acquire()).commit('next');
      await promises.rename(from, to);
    });
    expect(await late.commit('late')).toBe(false);
    expect(content()).toBe('next');
    expect(readdirSync(place.path)).toEqual(['token.json']);
  });

  it('should be taken over from a process that nobody can ask about when that has been silent', async () => {
    leaveBehind(foreignName());
    const impatient = fileLock(100);
    expect(await impatient.tryAcquire()).toBeNull();
    await pause(60);
    expect(await impatient.tryAcquire()).toBeNull();
    await pause(60);
    await (await acquire(impatient)).release();
  });

  it('should not be taken over while its holder shows that it lives', async () => {
    const name = foreignName();
    leaveBehind(name);
    const impatient = fileLock(100);
    for (let round = 1; round <= 5; round++) {
      expect(await impatient.tryAcquire()).toBeNull();
      await promises.utimes(join(lockFolder(), name), round, round);
      await pause(40);
    }
  });

  it('should show that its holder lives', async () => {
    const lock = await acquire();
    const [name] = readdirSync(lockFolder());
    const file = join(lockFolder(), name!);
    await promises.utimes(file, 1, 1);
    await until(() => statSync(file).mtimeMs > 1000);
    await lock.release();
  });

  it('should show that its holder lives while other work occupies all threads of the process', async () => {
    const lock = await acquire();
    const [name] = readdirSync(lockFolder());
    const file = join(lockFolder(), name!);
    const fifo = join(place.path, 'fifo');
    execFileSync('mkfifo', [fifo]);
    // Each waits in a thread for one who writes.
    const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
    const occupied = Array.from({ length: threads }, () => promises.open(fifo, 'r'));
    utimesSync(file, 1, 1);
    try {
      await until(() => statSync(file).mtimeMs > 1000, 3000);
    } finally {
      const writer = openSync(fifo, 'r+');
      for (const handle of await Promise.all(occupied)) await handle.close();
      closeSync(writer);
    }
    await lock.release();
  });

  it('should show no life any more when its holder has lost it', async () => {
    const lock = await acquire();
    await fileLock().evict();
    const beats = jest.spyOn(fs, 'utimesSync');
    await pause(900);
    const count = beats.mock.calls.length;
    beats.mockRestore();
    await lock.release();
    expect(count).toBe(1);
  });

  it('should not be blocked by what no holder has left: it is deleted, and its content is never asked for', async () => {
    const takenUp: string[] = [];
    const lock = createFileLock(place.file, 100, createTimers(asyncScheduler), (file) => {
      takenUp.push(file);
      return Promise.resolve();
    });
    const gone = goneName();
    leaveBehind('.DS_Store', gone);
    symlinkSync('nowhere', join(lockFolder(), 'link'));
    await until(async () => {
      const held = await lock.tryAcquire();
      await held?.release();
      return held !== null;
    });
    expect(takenUp).toEqual([join(lockFolder(), gone)]);
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('should clean up what a process left that was killed on its way to it', async () => {
    const [gone, alive] = [goneName(), newOwnerName()];
    for (const name of [gone, alive]) {
      mkdirSync(`${lockFolder()}.${name}`);
      writeFileSync(join(`${lockFolder()}.${name}`, name), '');
    }
    writeFileSync(`${lockFolder()}.of-somebody-else`, '');
    leaveBehind(goneName());
    await (await acquire()).release();
    expect(readdirSync(place.path).sort()).toEqual(
      [`token.json.lock.${alive}`, 'token.json.lock.of-somebody-else'].sort(),
    );
  });

  it('should be had, although what a process left cannot be cleaned up', async () => {
    const left = `${lockFolder()}.${goneName()}`;
    mkdirSync(left);
    leaveBehind(goneName());
    const rm = jest.spyOn(promises, 'rm').mockRejectedValue(Object.assign(new Error('busy'), { code: 'EBUSY' }));
    await (await acquire()).release();
    expect(rm).toHaveBeenCalledWith(left, expect.anything());
    rm.mockRestore();
    expect(statSync(left).isDirectory()).toBe(true);
    leaveBehind(goneName());
    await (await acquire()).release();
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('should fail where something else has its name', async () => {
    writeFileSync(lockFolder(), 'not a directory');
    await expect(fileLock().tryAcquire()).rejects.toMatchObject({ code: 'ENOTDIR' });
    expect(readFileSync(lockFolder(), 'utf8')).toBe('not a directory');
  });

  it('should keep what could not be written for another attempt', async () => {
    const lock = await acquire();
    const rename = jest
      .spyOn(promises, 'rename')
      .mockRejectedValueOnce(Object.assign(new Error('busy'), { code: 'EBUSY' }));
    await expect(lock.commit('a longer content than the next')).rejects.toThrow('busy');
    rename.mockRestore();
    expect(await fileLock().tryAcquire()).toBeNull();
    expect(await lock.commit('new')).toBe(true);
    expect(content()).toBe('new');
  });

  it('should not be had on a full disk', async () => {
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    const write = jest.spyOn(promises, 'writeFile').mockRejectedValueOnce(full);
    await expect(fileLock().tryAcquire()).rejects.toBe(full);
    write.mockRestore();
    expect(readdirSync(place.path)).toEqual([]);
  });

  it('should be held by a file whose name says who it is', async () => {
    const lock = await acquire();
    expect(readdirSync(lockFolder()).map((name) => ownerOf(name)?.pid)).toEqual([process.pid]);
    await lock.release();
  });
});
