import { parentPort, workerData } from 'node:worker_threads';

const offset = workerData.clockOffset;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + offset] : args));
  }

  static now() {
    return RealDate.now() + offset;
  }
};

const { Authority } = await import('./authority.mjs');
const { issuer, clientKey } = await Authority.start(workerData);
parentPort.postMessage({ issuer, clientKey });
