/** Reads the command line, and runs the command that it names. */
import { messageOf } from '../answers/messageOf.js';
import { UsageError, type CommandIo } from './io.js';
import { COMMANDS, help, helpOf, readOptions, withOptionNames } from './options.js';
import type { CommandName, ParsedOptions } from './options.js';
import { runProxy } from './proxyCommand.js';
import { runToken } from './tokenCommand.js';

const RUN: Record<CommandName, (options: ParsedOptions, io: CommandIo) => Promise<void>> = {
  proxy: runProxy,
  token: runToken,
};

/** Runs a command line. @returns the exit status: 0, 1 for a failure, 2 for a command line that is wrong */
export async function runCommand([name, ...args]: readonly string[], io: CommandIo): Promise<number> {
  if (name === '--help' || name === '-h') {
    io.out(help());
    return 0;
  }
  if (name === '--version') {
    io.out(io.version());
    return 0;
  }
  if (name === undefined || !isCommand(name)) {
    io.err(name === undefined ? help() : 'error: unknown command; rx-fresh-token --help shows the commands');
    return 2;
  }
  try {
    const options = readOptions(name, args);
    if (options.has('help')) io.out(helpOf(name));
    else await RUN[name](options, io);
    return 0;
  } catch (error) {
    io.err(`error: ${withOptionNames(messageOf(error))}`);
    // The library throws a TypeError for an option that is out of range.
    return error instanceof UsageError || error instanceof TypeError ? 2 : 1;
  }
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);
