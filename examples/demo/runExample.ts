import { CommanderError, InvalidArgumentError } from 'commander';
import { explain } from './explain.js';
import { UsageError } from './usageError.js';

/** Runs an example. A failure is one line and exit status 1; a mistake on the command line is exit status 2. */
export async function runExample(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`error: ${explain(error)}\n`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    }
  }
}

/** Reads a number on the command line. */
export function numberFrom(min: number, max: number, whole = false): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() !== '' && number >= min && number <= max && (!whole || Number.isInteger(number))) return number;
    throw new InvalidArgumentError(`It must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}.`);
  };
}
