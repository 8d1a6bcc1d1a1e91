import { statSync, type Stats } from 'node:fs';
import { codeOf, refuseUnsafe } from '../../src/internal/platform/files.js';

const OWN = process.geteuid?.() ?? 0;
const stats = (mode: number, uid = OWN) => Object.assign(statSync(__filename), { mode, uid });
const refusal = (given: Stats): string => {
  try {
    refuseUnsafe('/var/token', given);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a file for a token', () => {
  it.each<[string, Stats, string]>([
    ['of this user, for nobody else', stats(0o100600), ''],
    ['that its group can read', stats(0o100640), 'by others (mode 640)'],
    ['that others can write', stats(0o100602), 'by others (mode 602)'],
    ['of another user', stats(0o100600, OWN + 1), `belongs to another user (uid ${String(OWN + 1)})`],
  ])('should be safe from other users: one %s', (_what, given, message) => {
    expect(refusal(given)).toContain(message);
    expect(refusal(given) === '').toBe(message === '');
  });

  it('should be taken as it is on Windows, which has no such modes', () => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'win32' });
    try {
      expect(refusal(stats(0o100666, OWN + 1))).toBe('');
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
  });

  it('should be judged by its mode alone where a process has no user', () => {
    const { geteuid } = process;
    Object.assign(process, { geteuid: undefined });
    try {
      expect([refusal(stats(0o100600, OWN + 1)), refusal(stats(0o100640))]).toEqual([
        '',
        expect.stringContaining('by others') as string,
      ]);
    } finally {
      Object.assign(process, { geteuid });
    }
  });
});

it.each<[unknown, string]>([
  [Object.assign(new Error('gone'), { code: 'ENOENT' }), 'ENOENT'],
  [new Error('gone'), ''],
  [null, ''],
  [undefined, ''],
  ['gone', ''],
])('the code of what was thrown should be a text, whatever it is: %p', (thrown, code) => {
  expect(codeOf(thrown)).toBe(code);
});
