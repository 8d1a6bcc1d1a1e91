/** `rx-fresh-token token`: prints one token, in one of the formats. */
import { commandStream } from './commandStream.js';
import { firstToken } from './firstToken.js';
import { FORMATS } from './formats.js';
import { UsageError, type CommandIo } from './io.js';
import type { ParsedOptions } from './options.js';

/** Prints one token. */
export async function runToken(options: ParsedOptions, io: CommandIo): Promise<void> {
  const name = options.text('format') ?? 'plain';
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (!format) throw new UsageError(`--format must be one of ${Object.keys(FORMATS).join(', ')}`);
  const [operation, ...rest] = options.operands;
  if (rest.length > 0 || (operation !== undefined && name !== 'git-credential'))
    throw new UsageError('an argument is no option, and no value of one');
  // A helper ignores what it does not know (gitcredentials(7)), and there is nothing to store or to erase.
  if (operation !== undefined && operation !== 'get') return;
  const token$ = commandStream(options);
  try {
    const input = operation === undefined ? '' : await io.input();
    const token = await firstToken(token$, io.stop());
    // Exit status 0 would say that the token was printed.
    if (!token) throw new Error('asked to end before there was a token');
    io.out(format(token, { now: Date.now(), input }));
  } finally {
    token$.close();
  }
}
