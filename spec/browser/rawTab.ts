import type { CDPSession } from 'playwright-core';

interface Reply {
  readonly id?: number;
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly text: string };
  };
  readonly error?: { readonly message: string };
}

export interface RawTab {
  /** Any command of the DevTools protocol. */
  send(method: string, params?: object): Promise<NonNullable<Reply['result']>>;
  /** The value of an expression; promises are awaited. */
  evaluate<T>(expression: string): Promise<T>;
}

/**
 * A tab as a person opens it, spoken to by the protocol alone: Playwright tells its own pages that they are always
 * visible and focused, so that none of them is ever a background tab.
 *
 * @param newWindow in one of its own, where it is visible beside the others
 */
export async function openTab(browser: CDPSession, url: string, newWindow = false): Promise<RawTab> {
  const { targetId } = await browser.send('Target.createTarget', { url, newWindow });
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: false });
  const waiting = new Map<number, (reply: Reply) => void>();
  browser.on('Target.receivedMessageFromTarget', (message) => {
    if (message.sessionId !== sessionId) return;
    const reply = JSON.parse(message.message) as Reply;
    waiting.get(reply.id ?? 0)?.(reply);
    waiting.delete(reply.id ?? 0);
  });
  let last = 0;
  const send: RawTab['send'] = async (method, params = {}) => {
    const id = ++last;
    const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    await browser.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) });
    const { result = {}, error } = await replied;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  return {
    send,
    evaluate: async <T>(expression: string) => {
      const { result, exceptionDetails } = await send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.text);
      return result?.value as T;
    },
  };
}
