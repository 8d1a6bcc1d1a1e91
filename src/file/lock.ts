/** A lock between processes: a directory beside the data, with a file of its holder, who keeps that file young. */
import { promises, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { repeat, type Subscription } from 'rxjs';
import { codeOf, syncDirectory } from '../internal/platform/files.js';
import type { Timers } from '../internal/time/timers.js';
import { lockFolderOf, nullIfAbsent, remove, removeEmpty, removeLeftovers, renameToLock } from './lockFolder.js';
import { isGone, newOwnerName, ownerOf } from './owner.js';

/** The right to replace the data, which one process at a time has. */
export interface HeldLock {
  /**
   * Puts the content in the data's place and gives the lock back, in one step. False: someone has taken the lock over,
   * and nothing was replaced.
   */
  commit(content: string): Promise<boolean>;
  release(): Promise<void>;
}

/** No more than this counts between two observations: the machine may have slept meanwhile. Milliseconds. */
const LONGEST_INTERVAL = 500;

/** Between two signs of life of a holder: a quarter of the least `staleAfter`, as each may differ. Milliseconds. */
const HEARTBEAT = 250;

/** A full disk is to fail a process that wants the lock, and not one that has used up a refresh token. Bytes. */
const RESERVED = 16_384;

/**
 * The lock is a directory beside the data. Its holder has a file in it, whose name no other process uses.
 *
 * - To acquire: a directory with such a file is renamed to the lock. That works only where none is, or an empty one.
 * - To take over: the file of the one who is gone is deleted by its name: two who do it at once cannot delete the
 *   file of a third.
 * - To commit: the content is written into the file, and the file is renamed to the data. For one who was taken over
 *   meanwhile it is not there any more, so the data is never replaced by a process that does not hold the lock.
 *
 * @param staleAfter ms without a sign of life after which a holder counts as gone of whom the system cannot say it
 * @param takeUp gets the file of each holder that is gone, before it is deleted. If it fails, the file stays, and the
 *   lock cannot be had. What no holder has left is only deleted
 */
export function createFileLock(
  target: string,
  staleAfter: number,
  timers: Timers,
  takeUp: (file: string) => Promise<void> = () => Promise.resolve(),
) {
  const folder = lockFolderOf(target);
  const seen = new Map<string, Observation>();

  const holders = async (): Promise<string[]> => (await promises.readdir(folder).catch(nullIfAbsent)) ?? [];

  /** Observes the holder: has it shown no sign of life? Its clock and its file's time are not compared with ours. */
  async function observeSilence(name: string): Promise<boolean> {
    const stats = await statOf(join(folder, name));
    if (stats === null) return false;
    const observation = observe(seen.get(name), stats.mtimeMs, performance.now());
    seen.set(name, observation);
    return observation.silent >= staleAfter;
  }

  /** Deletes the holders that are gone. True: nobody holds the lock. */
  async function evictGone(): Promise<boolean> {
    const names = await holders();
    for (const name of seen.keys()) if (!names.includes(name)) seen.delete(name);
    let free = true;
    for (const name of names) {
      const owner = ownerOf(name);
      const hasEnded = (owner !== null && isGone(owner)) || (await observeSilence(name));
      if (!hasEnded) {
        free = false;
        continue;
      }
      const file = join(folder, name);
      if (owner) await takeUp(file);
      await remove(file);
      // What others left behind is in nobody's way.
      await removeLeftovers(folder).catch(() => undefined);
    }
    if (free) await removeEmpty(folder);
    return free;
  }

  return {
    folder,
    /** The lock, if no living process holds it. */
    tryAcquire: async (): Promise<HeldLock | null> => {
      if (!(await evictGone())) return null;
      const name = newOwnerName();
      if (!(await renameToLock(folder, name, await reserveFor(target)))) return null;
      const file = join(folder, name);
      return createHeldLock(target, file, folder, heartbeat(file, timers));
    },
    /** Takes the lock from its holder: what that fetches will not be stored. */
    evict: async (): Promise<void> => {
      for (const name of await holders()) await remove(join(folder, name));
    },
  };
}

function createHeldLock(target: string, file: string, folder: string, beats: Subscription): HeldLock {
  return {
    commit: async (content) => {
      const isReplaced = await replace(target, file, content).catch(nullIfAbsent);
      beats.unsubscribe();
      if (!isReplaced) return false;
      await syncDirectory(target);
      await removeEmpty(folder);
      return true;
    },
    release: async () => {
      beats.unsubscribe();
      await remove(file);
      await removeEmpty(folder);
    },
  };
}

/** Writes the content into the file, and renames it to the data. */
async function replace(target: string, file: string, content: string): Promise<true> {
  const handle = await promises.open(file, 'r+');
  try {
    await handle.writeFile(content); // from the beginning
    await handle.truncate(Buffer.byteLength(content));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await promises.rename(file, target);
  return true;
}

/**
 * Sets the file's time over and over for processes that cannot ask the system of this one, until the file is not there
 * any more. Keeps no process alive.
 */
function heartbeat(file: string, timers: Timers): Subscription {
  const beats = timers
    .after(HEARTBEAT)
    .pipe(repeat())
    .subscribe(() => {
      const now = new Date();
      try {
        // Synchronous: other work of the process may occupy all threads of its pool for longer than `staleAfter`.
        utimesSync(file, now, now);
      } catch (failure) {
        // The lock was taken over: the commit finds out.
        if (codeOf(failure) === 'ENOENT') beats.unsubscribe();
      }
    });
  return beats;
}

/** A holder as it was seen last, and for how many ms its file has not changed while we looked. */
interface Observation {
  readonly time: number;
  readonly silent: number;
  readonly at: number;
}

export function observe(before: Observation | undefined, time: number, at: number): Observation {
  if (before?.time !== time) return { time, silent: 0, at };
  return { time, silent: before.silent + Math.min(at - before.at, LONGEST_INTERVAL), at };
}

/** More than what is there now takes: the next token may be larger. */
const reserveFor = async (target: string): Promise<number> => RESERVED + ((await statOf(target))?.size ?? 0);

const statOf = (file: string) => promises.lstat(file).catch(nullIfAbsent);
