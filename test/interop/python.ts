import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { repository } from '../../tools/tree.ts';
import { Child } from './child.ts';

const folder = join(repository, 'test/interop/python');

export interface PythonOptions {
  /** Path of the interpreter that has Celery. */
  readonly python: string;
  readonly url: string;
  /** Where the process runs and may leave files. */
  readonly cwd: string;
  /** Celery's visibility timeout in seconds (3600). */
  readonly visibilityTimeout?: number | undefined;
}

/** An error that Python raised; its name is that of the class. */
export class PythonError extends Error {}

/** A Python process that carries out source: `await python.run('add.delay(2, y=3).get(timeout=10)')`. */
export class Python implements AsyncDisposable {
  readonly #child: Child;
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown>;

  constructor(options: PythonOptions) {
    this.#child = new Child({
      command: options.python,
      args: [join(folder, 'driver.py')],
      cwd: options.cwd,
      env: environment(options),
    });
    const lines = createInterface({ input: this.#child.process.stdout!.setEncoding('utf8') });
    this.#answers = lines[Symbol.asyncIterator]();
    this.#last = this.#answer();
  }

  /** The value of the last expression of these lines. Throws PythonError. Calls follow one another. */
  run<T = unknown>(...lines: string[]): Promise<T> {
    const next = this.#last
      .catch(() => {})
      .then(() => {
        this.#child.process.stdin!.write(`${JSON.stringify(lines.join('\n'))}\n`);
        return this.#answer();
      });
    this.#last = next;
    return next as Promise<T>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#child.process.stdin!.end();
    return this.#child.stop();
  }

  async #answer(): Promise<unknown> {
    const { value: line, done } = await this.#answers.next();
    if (done === true) throw new Error(`Python has ended:\n${this.#child.output}`);
    const answer = JSON.parse(line) as { value: unknown; error?: string; message: string; traceback: string };
    if (answer.error === undefined) return answer.value;
    const error = new PythonError(`${answer.message}\n${answer.traceback}`);
    error.name = answer.error;
    throw error;
  }
}

export interface PythonWorkerOptions extends PythonOptions {
  readonly name: string;
  readonly queues: readonly string[];
  readonly pool?: 'solo' | 'prefork' | 'threads' | undefined;
  readonly concurrency?: number | undefined;
  /** More of Celery's flags. */
  readonly flags?: readonly string[] | undefined;
}

/** A real Celery worker; resolves when it takes tasks. */
export async function startPythonWorker(options: PythonWorkerOptions): Promise<Child> {
  const { python, name, queues, pool = 'solo', concurrency = 1, flags = ['--without-mingle'] } = options;
  const child = new Child({
    command: python,
    args: `-m celery -A interop_app worker --pool ${pool} --concurrency ${concurrency} --queues ${queues.join(',')}
      --hostname ${name} --loglevel info`
      .split(/\s+/)
      .concat(flags),
    cwd: options.cwd,
    env: environment(options),
  }).withOutput();
  try {
    await child.printed(/ ready\./);
    return child;
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** The `celery` command; resolves with its exit code and all it printed. */
export async function celery(
  options: PythonOptions,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  await using child = new Child({
    command: options.python,
    args: ['-m', 'celery', '-A', 'interop_app', ...args],
    cwd: options.cwd,
    env: environment(options),
  }).withOutput();
  await child.ended;
  return { code: child.process.exitCode, output: child.output };
}

function environment({ url, visibilityTimeout }: PythonOptions): Record<string, string> {
  return {
    PYTHONPATH: folder,
    // The tree of sources is no place for Python's cache.
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    INTEROP_URL: url,
    // Celery warns root; the tests may run as root.
    C_FORCE_ROOT: '1',
    ...(visibilityTimeout === undefined ? {} : { INTEROP_VISIBILITY: String(visibilityTimeout) }),
  };
}
