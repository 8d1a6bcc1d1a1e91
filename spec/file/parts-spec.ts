import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { observe } from '../../src/file/lock.js';
import * as ownerModule from '../../src/file/owner.js';
import { isGone, newOwnerName, ownerOf, type Owner } from '../../src/file/owner.js';
import {
  ageOf,
  isOlder,
  parseRecord,
  signedOutRecord,
  serialized,
  tokenRecord,
  tokenToHandOut,
} from '../../src/file/record.js';
import { hasEnded } from '../../src/file/session.js';

const MINUTE = 60_000;
const machine = (wall: number, uptime: number, boot = 'b1') => ({
  wall: () => wall,
  uptime: () => uptime,
  boot: () => boot,
});
const response = { access_token: 'T1', refresh_token: 'R1', expires_in: 60 };
const record = { ...tokenRecord(response, 0, null, machine(1_000_000, 500_000)), session: 's1' };

describe('the age of a token in a file', () => {
  it.each<[string, ReturnType<typeof machine>, number]>([
    ['by the wall clock', machine(1_000_000 + 7000, 500_000 + 7000), 7000],
    ['by the wall clock, where the other counts whole seconds', machine(1_000_000 + 7000, 500_000 + 6100), 7000],
    [
      'by the wall clock, after a sleep that the other did not count',
      machine(1_000_000 + MINUTE, 500_000 + 1000),
      MINUTE,
    ],
    ['by the time since the start, where the clock was set back', machine(1_000_000 - MINUTE, 500_000 + 7000), 8000],
    ['zero at least', machine(1_000_000 - 10, 500_000), 0],
    ['by the wall clock after a restart', machine(1_000_000 + MINUTE, 1000, 'b2'), MINUTE],
    ['unknown, where the clock was set back in a restart', machine(1_000_000 - MINUTE, 1000, 'b2'), Infinity],
  ])('should be %s', (_how, clocks, age) => {
    expect(ageOf(record, clocks)).toBe(age);
  });

  it('should count from when the token was asked for', () => {
    expect(ageOf(tokenRecord(response, 300, null, machine(1000, 1000)), machine(1000, 1000))).toBe(300);
  });
});

describe('a token in a file', () => {
  const at = (age: number) => machine(1_000_000 + age, 500_000 + age);
  it.each<[string, Parameters<typeof tokenToHandOut>, boolean]>([
    ['young', [record, undefined, undefined, at(1000)], true],
    ['with the last 1.5 s of its life left', [record, undefined, undefined, at(58_500)], false],
    [
      'with half of a short life left',
      [{ ...record, response: { access_token: 'T1', expires_in: 2 } }, undefined, undefined, at(1000)],
      false,
    ],
    ['of no known life', [{ ...record, response: { access_token: 'T1' } }, undefined, undefined, at(1e9)], true],
    ['of a life that the option knows', [record, undefined, () => 5000, at(3600)], false],
    ['that is to be replaced', [record, 'T1', undefined, at(0)], false],
    ['that a server refused', [{ ...record, rejected: true }, undefined, undefined, at(0)], false],
    ['after a sign-out', [signedOutRecord('s2'), undefined, undefined, at(0)], false],
    ['of unknown age', [record, undefined, undefined, machine(0, 0, 'b2')], false],
    ['that is not there', [null, undefined, undefined, at(0)], false],
  ])('%s: whether it is handed out', (_which, given, handedOut) => {
    expect(tokenToHandOut(...given) !== null).toBe(handedOut);
  });

  it.each<[string, Partial<typeof record>, boolean]>([
    ['by both clocks', { asked: 0, uptime: 0 }, true],
    ['by the wall clock alone, which was set back since', { asked: 0 }, false],
    ['by the uptime alone, which containers count differently', { uptime: 0 }, false],
    ['by less than a second, where the uptime is in whole seconds', { asked: 0, uptime: record.uptime - 900 }, false],
    ['in another boot', { asked: 0, uptime: 0, boot: 'b2' }, false],
    ['in another session', { asked: 0, uptime: 0, session: 's2' }, false],
  ])('asked for earlier %s: whether it was put back', (_how, other, isPutBack) => {
    expect(isOlder({ ...record, ...other }, record)).toBe(isPutBack);
  });

  it('should be read as it was written', () => {
    expect(parseRecord(serialized(record))).toEqual(record);
    expect(parseRecord(serialized(signedOutRecord('s2')))).toMatchObject({ session: 's2', response: null });
  });

  it.each([
    'plain text',
    '{}',
    'null',
    '[]',
    JSON.stringify({ refresh_token: 'R1' }),
    serialized(record).replace('"rx-fresh-token":1', '"rx-fresh-token":2'),
    serialized(record).slice(0, 100),
    serialized({ ...record, asked: '0' as never }),
    serialized({ ...record, rejected: 0 as never }),
    serialized({ ...record, id: 1 as never }),
    serialized({ ...record, response: {} as never }),
  ])('should be told from anything else: %s', (text) => {
    expect(parseRecord(text)).toBeUndefined();
  });
});

describe('the end of a session, seen in the file', () => {
  const token = { ...record, session: 's1' };
  it.each<[string, string | null | undefined, Parameters<typeof hasEnded>[1], boolean]>([
    ['nothing was known', undefined, token, false],
    ['it goes on', 's1', token, false],
    ['another has begun', 's0', token, true],
    ['a sign-out', 's0', signedOutRecord('s1'), true],
    ['the same sign-out again', 's1', signedOutRecord('s1'), false],
    ['the file is deleted', 's1', null, true],
    ['there is no file still', null, null, false],
    ['the first token', null, token, false],
    ['a sign-out before the first token', null, signedOutRecord('s1'), true],
  ])('%s', (_what, before, now, over) => {
    expect(hasEnded(before, now)).toBe(over);
  });
});

describe('the silence of a holder', () => {
  it('should count only while its file does not change', () => {
    const first = observe(undefined, 1, 0);
    expect(first.silent).toBe(0);
    const second = observe(first, 1, 100);
    expect(second.silent).toBe(100);
    expect(observe(second, 2, 200).silent).toBe(0);
  });

  it('should not count a time in which the machine slept', () => {
    expect(observe(observe(undefined, 1, 0), 1, 8 * 3_600_000).silent).toBe(500);
  });
});

describe('the owner of a lock', () => {
  const self = () => ownerOf(newOwnerName()) as Owner;

  it('should have a name of its own each time, which says nothing of the machine', () => {
    expect(newOwnerName()).not.toBe(newOwnerName());
    expect(self()).toMatchObject({ pid: process.pid, place: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
  });

  it.each(['', 'x', `1.2.${'a'.repeat(16)}`, `../1.2.${'a'.repeat(16)}.${randomUUID()}`, '.DS_Store'])(
    'should not be read from another name: %s',
    (name) => {
      expect(ownerOf(name)).toBeNull();
    },
  );

  it('should not be gone while it runs', () => {
    expect(isGone(self())).toBe(false);
  });

  it('should be gone when its pid belongs to a process that began at another time', () => {
    expect(isGone({ ...self(), start: '1' })).toBe(process.platform === 'linux');
  });

  it('should be gone when its process was killed, whether it was asked for or not', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
    const pid = child.pid!;
    await once(child, 'spawn');
    const { place } = self();
    const owner = (start: string): Owner => ({ pid, start, place });
    expect(isGone(owner('0'))).toBe(false);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect([isGone(owner('0')), isGone(owner('12345'))]).toEqual([true, true]);
  });

  /** The owner of a lock, where `/proc` shows something else. */
  async function withProc(shown: Partial<typeof import('node:fs')>, check: (owner: typeof ownerModule) => void) {
    try {
      await jest.isolateModulesAsync(async () => {
        jest.doMock('node:fs', () => ({ ...jest.requireActual<object>('node:fs'), ...shown }));
        check(await import('../../src/file/owner.js'));
      });
    } finally {
      jest.dontMock('node:fs');
    }
  }

  it('should not be taken for another process, where `/proc` is that of other processes (a sandbox)', () =>
    withProc(
      {
        readlinkSync: ((path: string) => (path === '/proc/self' ? '1' : 'pid:[1]')) as never,
        readFileSync: (() => '1 (init) S 0 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 77 0') as never,
      },
      (module) => {
        const owner = module.ownerOf(module.newOwnerName());
        expect(owner).toMatchObject({ pid: process.pid, start: '0' });
        expect(module.isGone(owner!)).toBe(false);
      },
    ));

  it('should not be gone while `/proc` hides it from this user (hidepid)', () =>
    withProc(
      {
        readFileSync: ((path: string, encoding: BufferEncoding) => {
          if (path.startsWith('/proc/1/')) throw Object.assign(new Error('hidden'), { code: 'ENOENT' });
          return readFileSync(path, encoding);
        }) as never,
      },
      (module) => {
        expect(module.isGone({ ...self(), pid: 1, start: '1' })).toBe(false);
        expect(module.isGone({ ...self(), pid: 999_999_999, start: '1' })).toBe(true);
      },
    ));

  it('should not be gone for certain where its pid means nothing: on another machine, or in another container', () => {
    expect(isGone({ pid: 999_999_999, start: '1', place: '0'.repeat(16) })).toBe(false);
  });
});
