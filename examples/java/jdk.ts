import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PACKAGE = 'default-jdk-headless';

const isThere = (): boolean => ['javac', 'java'].every((command) => spawnSync(command, ['-version']).status === 0);

/** Installs the JDK where it is missing and apt can. @throws Error that says what to install */
function ensureJdk(say: (line: string) => void): void {
  if (isThere()) return;
  say(`javac is missing: installing ${PACKAGE} with apt-get …`);
  for (const args of [['update'], ['install', '-y', PACKAGE]]) {
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 600_000,
    });
  }
  if (!isThere())
    throw new Error(
      `this needs a JDK, 11 or later: javac and java on the PATH (on Debian, as root: apt-get install ${PACKAGE})`,
    );
}

/** Compiles the programs of this folder into another one. */
export function compile(into: string, say: (line: string) => void): void {
  ensureJdk(say);
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const sources = readdirSync(folder).filter((name) => name.endsWith('.java'));
  const { status, stderr } = spawnSync('javac', ['-d', into, ...sources], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`javac: ${stderr.trim()}`);
}
