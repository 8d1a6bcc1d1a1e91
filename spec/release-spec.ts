import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('npm version', () => {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  const changelog = join(folder, 'CHANGELOG.md');
  cpSync('scripts/release.mjs', join(folder, 'scripts/release.mjs'));
  cpSync('scripts/run.mjs', join(folder, 'scripts/run.mjs'));
  writeFileSync(join(folder, 'package.json'), '{ "version": "1.2.0", "type": "module" }');
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function release(text: string): string {
    writeFileSync(changelog, text);
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'scripts/release.mjs')], { encoding: 'utf8' });
    return status === 0 ? readFileSync(changelog, 'utf8') : stderr;
  }

  it('should move what is unreleased below the version and the day', () => {
    const released = release('# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- This.\n\n## [1.1.0] - 2020-01-01\n');
    const day = new Date().toISOString().slice(0, 10);
    expect(released).toBe(
      `# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - ${day}\n\n### Fixed\n\n- This.\n\n## [1.1.0] - 2020-01-01\n`,
    );
  });

  it.each([
    ['nothing to release', '## [Unreleased]\n\n## [1.1.0] - 2020-01-01\n', 'nothing under [Unreleased]'],
    ['an empty end', '## [Unreleased]\n', 'nothing under [Unreleased]'],
    ['a version that is there', '## [Unreleased]\n\n- This.\n\n## [1.2.0] - 2020-01-01\n', 'has 1.2.0 already'],
    ['no section', '# Changelog\n', 'has no [Unreleased]'],
  ])('should refuse %s, and leave the file alone', (_, text, message) => {
    expect(release(text)).toContain(message);
    expect(readFileSync(changelog, 'utf8')).toBe(text);
  });
});
