/** Who holds a lock, and whether that process still runs. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from '../internal/platform/files.js';

/** Which process holds a lock. It stands in the name of a file, which is there from the first moment on. */
export interface Owner {
  readonly pid: number;
  /** When the process began, in the kernel's count since boot: a pid is used again, together with this it is not. */
  readonly start: string;
  /** Where its pid means something: this boot of this machine, in this container. */
  readonly place: string;
}

/** The start of a process where the system does not say it. */
const UNKNOWN = '0';

let self: Owner | undefined;

const thisProcess = (): Owner => (self ??= { pid: process.pid, start: ownStart(), place: thisPlace() });

/** A sandbox may have the `/proc` of its host, where the same pid is another process. */
function ownStart(): string {
  const isOwn = readLink('/proc/self') === String(process.pid);
  return (isOwn ? processIn(readText('/proc/self/stat'))?.start : undefined) ?? UNKNOWN;
}

/** A name that no lock has had before. */
export function newOwnerName(): string {
  const { pid, start, place } = thisProcess();
  return [String(pid), start, place, randomUUID()].join('.');
}

/** Null for a name that this library has not made. */
export function ownerOf(name: string): Owner | null {
  const [, pid, start, place] = /^(\d{1,10})\.(\d{1,20})\.([0-9a-f]{16})\.[0-9a-f-]{36}$/.exec(name) ?? [];
  return pid && start && place ? { pid: Number(pid), start, place } : null;
}

/**
 * Whether the owner has ended for certain: its process is gone, or its pid belongs to a process that began at another
 * time.
 */
export function isGone({ pid, start, place }: Owner): boolean {
  if (place !== thisProcess().place) return false;
  if (start === UNKNOWN || thisProcess().start === UNKNOWN) return !isRunning(pid);
  try {
    const found = processIn(readFileSync(`/proc/${String(pid)}/stat`, 'latin1'));
    // A process that was killed stays in the table until its parent asks for it.
    return found?.start !== start || /[ZXx]/.test(found.state);
  } catch (failure) {
    // With the option `hidepid`, `/proc` hides processes that the user can signal.
    return ['ENOENT', 'ESRCH'].includes(codeOf(failure)) && !isRunning(pid);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (failure) {
    return codeOf(failure) !== 'ESRCH';
  }
}

/**
 * A process as `/proc` shows it, where there is one. The name of the program stands in brackets and may hold any
 * character.
 */
function processIn(stat: string): { readonly state: string; readonly start: string } | null {
  const [, state, start] = /.*\) (\S)(?: \S+){18} (\d+)/s.exec(stat) ?? [];
  return state && start ? { state, start } : null;
}

let boot: string | undefined;

/** Tells this boot of the machine from others; '' where the system does not say it. */
export const bootId = (): string => (boot ??= readText('/proc/sys/kernel/random/boot_id').trim());

/** A hash, since names of files are seen by others. */
const thisPlace = (): string =>
  createHash('sha256')
    .update([hostname(), bootId(), readLink('/proc/self/ns/pid')].join('\n'))
    .digest('hex')
    .slice(0, 16);

const readText = (path: string): string => orEmpty(() => readFileSync(path, 'latin1'));
const readLink = (path: string): string => orEmpty(() => readlinkSync(path));

/** '' where the system has no such file, or does not let us read it. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
