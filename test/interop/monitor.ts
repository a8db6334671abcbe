import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { deferred } from '../../src/base/deferred.ts';

/** One command that a Redis carried out, with its arguments as they came. */
export type Command = readonly string[];

/** Everything a Redis is told from now on (MONITOR), until it is closed. */
export class Monitor implements AsyncDisposable {
  readonly commands: Command[] = [];
  readonly #socket: Socket;
  readonly #ended = deferred();
  readonly #listening = deferred();
  #rest = '';

  private constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    this.#socket.on('error', () => this.#listening.resolve());
    this.#socket.once('close', () => this.#ended.resolve());
    this.#socket.write('MONITOR\r\n');
  }

  /** Resolves once it listens. */
  static async on(url: string): Promise<Monitor> {
    const monitor = new Monitor(Number(new URL(url).port));
    await monitor.#listening.promise;
    return monitor;
  }

  /** The arguments that follow this command's name and `skip` more, of all of its kind. */
  argumentsOf(name: string, skip = 0): string[] {
    const wanted = this.commands.filter(([command]) => command?.toUpperCase() === name);
    return wanted.flatMap((command) => command.slice(1 + skip));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#ended.promise;
  }

  #read(text: string): void {
    this.#listening.resolve();
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.commands.push(parse(line));
  }
}

// +1795547232.204756 [0 127.0.0.1:54880] "SADD" "key" "\x06\x16…"
function parse(line: string): Command {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, quoted]) => unquote(quoted!));
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' };

function unquote(text: string): string {
  const bytes = text.replaceAll(/\\x([0-9a-f]{2})|\\(.)/gi, (_, hex: string | undefined, other: string) =>
    hex === undefined ? (escapes[other] ?? other) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
