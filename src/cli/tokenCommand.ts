/** `rx-fresh-token token`: prints one token, in one of the formats. */
import { messageOf } from '../answers/messageOf.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { awaitToken } from './awaitToken.js';
import { FORMATS } from './formats.js';
import { UsageError, type CommandIo } from './io.js';
import { strayArgument, withOptionNames, type ParsedOptions } from './options.js';
import { commandStream } from './tokenSource.js';

/** Prints one token. */
export async function runToken(options: ParsedOptions, io: CommandIo): Promise<void> {
  const name = options.text('format') ?? 'plain';
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (!format) throw new UsageError(`--format must be one of ${Object.keys(FORMATS).join(', ')}`);
  const { operand: operation } = options;
  if (operation !== undefined && name !== 'git-credential') throw strayArgument();
  // A helper ignores what it does not know (gitcredentials(7)). Only a file has something to erase.
  const erases = operation === 'erase' && options.text('store') !== undefined;
  if (operation !== undefined && operation !== 'get' && !erases) return;
  // The command renews the token itself: in the background, it would end before the answer.
  const token$ = commandStream(options, { refreshBefore: 0 });
  token$.events.subscribe((event) => {
    // The token is there, but could not be stored, for example. Other failures end the command.
    if (event.type === 'refreshFailed' && !event.permanent && event.retryIn === null)
      io.err(`warning: ${withOptionNames(event.message)}`);
  });
  try {
    const input = operation === undefined ? '' : await io.input();
    if (erases) {
      await replaceErased(token$, input, io);
      return;
    }
    const token = await tokenToPrint(token$, io);
    // Exit status 0 would say that the token was printed.
    if (!token) throw new Error('asked to end before there was a token');
    io.out(format(token, { now: Date.now(), input, execInfo: io.env('KUBERNETES_EXEC_INFO') }));
  } finally {
    token$.close();
  }
}

/** A server has rejected what git erases. If that is still the stored token, it is replaced in the file. */
async function replaceErased(token$: TokenStream, input: string, io: CommandIo): Promise<void> {
  const token = await awaitToken(token$, io.stop());
  // The password of Basic, or the credential of a scheme, as they were printed.
  if (
    token &&
    input.split(/\r?\n/).some((line) => [`password=${token.value}`, `credential=${token.value}`].includes(line))
  )
    await awaitToken(token$, io.stop(), token$.refresh());
}

/** Nobody renews the token in a file: when it ends soon, its successor is printed. */
async function tokenToPrint(token$: TokenStream, io: CommandIo): Promise<AccessToken | null> {
  const token = await awaitToken(token$, io.stop());
  if (!token || !endsSoon(token)) return token;
  try {
    return await awaitToken(token$, io.stop(), token$.refresh());
  } catch (error) {
    if (!token$.current) throw error;
    io.err(`warning: ${withOptionNames(messageOf(error))}; this one ends soon`);
    return token$.current;
  }
}

/** The default of a stream, without its additions for slow fetches and rounded times. */
const endsSoon = ({ issuedAt, expiresAt }: AccessToken): boolean =>
  expiresAt - Date.now() < Math.min((expiresAt - issuedAt) / 6, 5 * 60_000);
