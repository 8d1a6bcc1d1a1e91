import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** Installs Debian's Chromium where it is missing and apt can. These specs are never skipped. */
function install(): void {
  if (existsSync(executablePath)) return;
  const apt = spawnSync('sh', ['-c', 'apt-get update && apt-get install -y chromium'], {
    encoding: 'utf8',
    timeout: 240_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (existsSync(executablePath)) return;
  const reason = apt.error?.message ?? apt.stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(
    `These specs need Chromium at ${executablePath}; apt could not install it (${reason}). Install it, or name it in the variable CHROMIUM.`,
  );
}

/** What Playwright adds so that background tabs are as quick as others; here they shall be what they are. */
const HASTE = [
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
  '--disable-back-forward-cache',
];

/** A browser of its own, in a new profile. */
export function launch(): Promise<Browser> {
  install();
  return chromium.launch({ executablePath, args: FLAGS, ignoreDefaultArgs: HASTE, headless: true });
}
