import { existsSync, readdirSync } from 'node:fs';
import { ensurePackages, isOnPath } from '../../setup/debian.mjs';

const POSTGRES = '/usr/lib/postgresql';

/** Installs the servers that no package of npm brings, before any spec begins: apt does not run twice at once. */
export default function setup() {
  ensurePackages({
    openssl: () => isOnPath('openssl'),
    'nats-server': () => existsSync('/usr/sbin/nats-server'),
    postgresql: () => existsSync(POSTGRES) && readdirSync(POSTGRES).length > 0,
    'rabbitmq-server': () => existsSync('/usr/lib/rabbitmq/bin/rabbitmq-server'),
  });
}
