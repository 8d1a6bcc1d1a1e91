import type { ChildProcess } from 'node:child_process';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly stop: () => Promise<void>;
  readonly signal: (name: NodeJS.Signals) => boolean;
}

export function freePort(): Promise<number>;
export function startRedis(options?: {
  port?: number;
  args?: readonly string[];
  sentinelOf?: number;
}): Promise<RedisServer>;
