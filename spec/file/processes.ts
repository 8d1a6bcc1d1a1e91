import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface WorkerConfig {
  readonly path: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The refresh token that every process begins with. */
  readonly seed: string;
}

/** Of an exchange: before the request is sent, and when the server has answered. */
export type Step = 'before' | 'answered';

export type FromWorker =
  | { readonly type: 'step'; readonly name: Step }
  | { readonly type: 'token'; readonly value: string; readonly fetched: boolean }
  | { readonly type: 'call'; readonly waited: number }
  | { readonly type: 'failed' | 'callFailed'; readonly message: string };

/** A process, and whether it goes on with an exchange: else it is killed there. */
export interface Worker {
  readonly child: ChildProcess;
  readonly goOn: () => void;
  readonly kill: () => void;
}

export function startWorker(
  file: string,
  config: WorkerConfig,
  onMessage: (message: FromWorker, worker: Worker) => void,
): Worker {
  const child = fork(file, {
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '', WORKER: JSON.stringify(config) },
  });
  const worker: Worker = {
    child,
    goOn: () => child.connected && child.send('go'),
    kill: () => child.kill('SIGKILL'),
  };
  child.on('message', (message) => {
    onMessage(message as FromWorker, worker);
  });
  child.on('error', () => undefined); // of a message to one that was killed
  return worker;
}

export async function stopWorkers(workers: Iterable<Worker>): Promise<void> {
  await Promise.all(
    [...workers].map(async ({ child, kill }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      kill();
      await ended;
    }),
  );
}
