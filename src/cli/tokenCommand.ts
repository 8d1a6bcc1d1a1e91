import { commandStream } from './commandStream.js';
import { firstToken } from './firstToken.js';
import { FORMATS } from './formats.js';
import { UsageError, type CommandIo } from './io.js';
import type { Given } from './options.js';

/** Git's other operations on a helper: there is nothing to store or to erase. */
const NOTHING_TO_DO = ['store', 'erase'];

/** Prints one token. */
export async function runToken(given: Given, io: CommandIo): Promise<void> {
  const name = given.text('format') ?? 'plain';
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (!format) throw new UsageError(`--format must be one of ${Object.keys(FORMATS).join(', ')}`);
  const [operation] = given.operands;
  if (operation !== undefined && name !== 'git-credential')
    throw new UsageError('an argument is no option, and no value of one');
  if (operation !== undefined && NOTHING_TO_DO.includes(operation)) return;
  const token$ = commandStream(given);
  try {
    const input = operation === undefined ? '' : await io.input();
    const token = await firstToken(token$, io.stop);
    // Exit status 0 would say that the token was printed.
    if (!token) throw new Error('asked to end before there was a token');
    io.out(format(token, { now: Date.now(), input }));
  } finally {
    token$.close();
  }
}
