import { promises } from 'node:fs';
import { fileTokenVault } from '../../src/oauth/fileTokenVault.js';

/** Run by fileTokenVault-spec: dies between the write of the new token and the renaming, as by a power cut. */
promises.rename = () => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};
setInterval(() => undefined, 1000);
void fileTokenVault(process.argv[2] ?? '').write({ refresh_token: process.argv[3] ?? '' });
