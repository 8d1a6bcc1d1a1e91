// Run by unreachable-spec.ts in a process of its own, with --expose-gc. Prints, as JSON, which closed streams still
// hold their token.
import { firstValueFrom, timer } from 'rxjs';
import { createTokenStream, type TokenResponse, type TokenStream } from 'rx-fresh-token';

const kept: TokenStream[] = [];
const held: Record<string, boolean> = {};
const pause = (ms: number) => firstValueFrom(timer(ms));

/** A stream whose renewals do what is said; it stays in somebody's hands when it is closed. */
async function scene(
  name: string,
  renew: () => PromiseLike<TokenResponse> | [TokenResponse],
  trouble: (token$: TokenStream) => void,
): Promise<void> {
  const first = await (async () => {
    let n = 0;
    const token$ = createTokenStream(() => (n++ ? renew() : [{ access_token: 'T1', expires_in: 3600 }]));
    kept.push(token$);
    const token = new WeakRef(await firstValueFrom(token$));
    token$.subscribe({ error: () => undefined });
    trouble(token$);
    await pause(20);
    token$.close();
    return token;
  })();
  for (let i = 0; i < 10 && first.deref(); i++) {
    await pause(10);
    globalThis.gc?.();
  }
  held[name] = first.deref() !== undefined;
}

const refresh = (token$: TokenStream) => token$.refresh().subscribe({ error: () => undefined });

async function main(): Promise<void> {
  await scene(
    'in peace',
    () => [{ access_token: 'T2', expires_in: 3600 }],
    () => undefined,
  );
  await scene(
    'the rejected token came again',
    () => [{ access_token: 'T1', expires_in: 3600 }],
    (token$) => {
      token$.reject(token$.current!);
    },
  );
  await scene('a renewal failed', () => Promise.reject(new Error('down')), refresh);
  await scene(
    'a renewal failed permanently',
    () => Promise.reject(Object.assign(new Error('no'), { status: 400 })),
    refresh,
  );
  await scene('a renewal hangs', () => new Promise<never>(() => undefined), refresh);
  process.stdout.write(JSON.stringify({ held, streams: kept.length }));
}

void main();
