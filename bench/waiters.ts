import { Subject, take } from 'rxjs';
import { createTokenStream, withToken, type TokenResponse } from 'rx-fresh-token';

/** How long it takes, from a cold token's arrival, until the last of many waiters has it. */
export async function waiters(sizes: readonly number[]): Promise<void> {
  for (const size of sizes) {
    const answer = new Subject<TokenResponse>();
    const token$ = createTokenStream(() => answer.pipe(take(1)));
    let settled = 0;
    for (let i = 0; i < size; i++) withToken(token$, (token) => [token]).subscribe(() => settled++);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const start = performance.now();
    answer.next({ access_token: 'a-token', expires_in: 30 });
    const took = performance.now() - start;
    console.log(
      `${String(settled)} of ${String(size)} waiters on one cold token   ${took.toFixed(0)} ms, ${((took / size) * 1000).toFixed(2)} microseconds each  (promise: within 1 s, linear)`,
    );
    token$.close();
  }
}
