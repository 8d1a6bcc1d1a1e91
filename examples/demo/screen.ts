import { MultiBar } from 'cli-progress';

/** Where a run shows what it does. */
export interface Screen {
  /** Text as it stands. */
  print(text: string): void;
  /** A line with its time. */
  say(line: string): void;
  /** A line about something wrong. */
  warn(line: string): void;
  /** Adds a client to be watched. `total` is in bytes of input, null when unknown. */
  track(title: string, total: number | null): Track;
  /** Ends the moving part; what is said afterwards stands below it. */
  settle(): void;
}

export interface Track {
  /** So many more bytes of input are finished, and with them so many records. */
  advance(bytes: number, records: number): void;
}

const BAR = '{title}  {bar}  {percentage} %  {records} records';
const COUNTER = '{title}  {records} records';
/** As wide as the time before a line. */
const INDENT = ' '.repeat(10);
/** Between two lines of progress where there is no bar. */
const REPORT_EVERY = 2_000;

export const openScreen = (): Screen => (process.stdout.isTTY ? new TerminalScreen() : new PlainScreen());

export const count = (value: number): string => value.toLocaleString('en-US');

class Clock {
  readonly #started = performance.now();

  stamp(line: string): string {
    return `${((performance.now() - this.#started) / 1_000).toFixed(1).padStart(6)} s  ${line}`;
  }
}

class TerminalScreen implements Screen {
  readonly #clock = new Clock();
  #bars: MultiBar | undefined;

  print(text: string): void {
    this.#write(text);
  }

  say(line: string): void {
    this.#write(this.#clock.stamp(line));
  }

  warn(line: string): void {
    const stamped = this.#clock.stamp(line);
    // Beside the bars only if both go to the terminal.
    if (process.stderr.isTTY) this.#write(stamped);
    else process.stderr.write(`${stamped}\n`);
  }

  track(title: string, total: number | null): Track {
    this.#bars ??= new MultiBar({
      stream: process.stdout,
      hideCursor: true,
      forceRedraw: true,
      autopadding: true,
      linewrap: true,
      barsize: Math.max(5, Math.min(30, process.stdout.columns - 54)),
      barCompleteChar: '━',
      barIncompleteChar: '─',
      fps: 8,
    });
    let records = 0;
    const payload = (): object => ({ title: `${INDENT}${title.padEnd(14)}`, records: count(records) });
    const bar = this.#bars.create(total ?? 0, 0, payload(), { format: total === null ? COUNTER : BAR });
    return {
      advance: (bytes, more) => {
        records += more;
        bar.increment(bytes, payload());
      },
    };
  }

  settle(): void {
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
  }

  #write(line: string): void {
    if (this.#bars === undefined) process.stdout.write(`${line}\n`);
    // A bar may be longer than the line that takes its place.
    else this.#bars.log(`${line}\u001b[K\n`);
  }
}

class PlainScreen implements Screen {
  readonly #clock = new Clock();
  readonly #reports: (() => string)[] = [];
  #timer: NodeJS.Timeout | undefined;

  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  say(line: string): void {
    process.stdout.write(`${this.#clock.stamp(line)}\n`);
  }

  warn(line: string): void {
    process.stderr.write(`${this.#clock.stamp(line)}\n`);
  }

  track(title: string, total: number | null): Track {
    let bytes = 0;
    let records = 0;
    this.#reports.push(() => {
      const share = total === null || total === 0 ? '' : `  ${Math.floor((bytes / total) * 100)} %`;
      return `${title.padEnd(16)}${share}  ${count(records)} records`;
    });
    this.#timer ??= setInterval(() => this.#report(), REPORT_EVERY).unref();
    return {
      advance: (more, moreRecords) => {
        bytes += more;
        records += moreRecords;
      },
    };
  }

  settle(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#report();
    this.#reports.length = 0;
  }

  #report(): void {
    for (const report of this.#reports) this.say(report());
  }
}
