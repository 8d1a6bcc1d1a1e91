/** What a command uses of the process, so that a spec can replace it; and the error of a wrong command line. */

export interface CommandIo {
  /** Writes a line to standard output. */
  readonly out: (line: string) => void;
  /** Writes a line to standard error. */
  readonly err: (line: string) => void;
  /** All of standard input. Rejects when the process is asked to end. */
  readonly input: () => Promise<string>;
  /** A variable of the environment. */
  readonly env: (name: string) => string | undefined;
  /** The package's version. */
  readonly version: () => string;
  /**
   * Aborted when the process is asked to end. Before the first call the system ends the process, even while that waits
   * in a synchronous call, such as one that reads a pipe.
   */
  readonly stop: () => AbortSignal;
}

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {}
