import { checkWait, inCall, shareTimeout } from '../asyncio/wait.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { checkSeconds } from '../base/deadline.ts';
import { CancelledError, InvalidArgumentError, TimeoutError } from '../base/errors.ts';
import { realClock } from '../base/clock.ts';
import { onAbort } from '../base/abort.ts';
import type { Address, InetAddress, UnixAddress } from './address.ts';
import { checkInet } from './address.ts';
import { AF_UNIX } from './constants.ts';
import type { AddressInfo } from './resolve.ts';
import { getaddrinfo } from './resolve.ts';
import type { SecurityContext } from './security.ts';
import type { Socket } from './socket.ts';
import { socket } from './socket.ts';

/** How a connection is made; `timeout` and `signal` are for the making only. */
export interface ConnectionOptions extends WaitOptions {
  /** Where it comes from: `[host, 0]`. */
  readonly sourceAddress?: InetAddress | undefined;
  /** Seconds given to one address before the next is tried beside it (0.25). RFC 8305 */
  readonly happyEyeballsDelay?: number | undefined;
  /** Goes on under TLS at once. */
  readonly ssl?: SecurityContext | undefined;
  /** The name the certificate must have; by default the host. */
  readonly serverHostname?: string | undefined;
}

/**
 * A TCP connection to `[host, port]`, or one to a UNIX path. All addresses of the host are tried, IPv6 and IPv4 by turns, the next as
 * soon as one fails or is slow; the first to answer wins. Throws SocketError (the first failure's, with address and port),
 * TimeoutError, CancelledError, what the handshake of `ssl` throws. (socket.create_connection)
 *
 * @example
 * using connection = await createConnection(['example.org', 80], { timeout: 5 });
 */
export function createConnection(address: InetAddress, options?: ConnectionOptions): Promise<Socket<InetAddress>>;
export function createConnection(address: UnixAddress, options?: ConnectionOptions): Promise<Socket<UnixAddress>>;
export function createConnection(address: Address, options?: ConnectionOptions): Promise<Socket>;
export function createConnection(address: Address, options: ConnectionOptions = {}): Promise<Socket> {
  return inCall(async () => {
    checkWait(options);
    const shared = { ...options, ...shareTimeout(options) };
    const plain: Socket = typeof address === 'string' ? await unix(address, shared) : await inet(address, shared);
    if (options.ssl === undefined) return plain;
    const serverHostname = options.serverHostname ?? (typeof address === 'string' ? undefined : address[0]);
    const { timeout, signal } = options;
    await plain.startTls(options.ssl, { serverHostname, timeout, signal });
    return plain;
  });
}

async function unix(path: UnixAddress, options: ConnectionOptions): Promise<Socket> {
  const client = socket(AF_UNIX);
  try {
    await client.connect(path, options);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

async function inet(address: InetAddress, options: ConnectionOptions): Promise<Socket> {
  const { happyEyeballsDelay = 0.25 } = options;
  checkSeconds('happyEyeballsDelay', happyEyeballsDelay);
  const [host, port] = checkInet(address);
  if (port === 0) throw new InvalidArgumentError('port', port, 'a port number from 1 to 65535');
  const found = byTurns(await getaddrinfo(host === '' ? 'localhost' : host, port, options));
  if (found.length === 1) return attempt(found[0]!, options);
  return new Race(found, options, happyEyeballsDelay).run();
}

async function attempt(target: AddressInfo, options: ConnectionOptions): Promise<Socket> {
  const client = socket(target.family, target.type);
  try {
    if (options.sourceAddress !== undefined) await client.bind(options.sourceAddress);
    await client.connect(target.address, options);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** The families in turn, each in the resolver's order. */
function byTurns(found: readonly AddressInfo[]): AddressInfo[] {
  const first = found.filter((each) => each.family === found[0]!.family);
  const second = found.filter((each) => each.family !== found[0]!.family);
  return first.flatMap((each, i) => [each, ...second.slice(i, i + 1)]).concat(second.slice(first.length));
}

/** Attempts side by side: the first connection wins, the others are given up. */
class Race {
  readonly #targets: readonly AddressInfo[];
  readonly #options: ConnectionOptions;
  readonly #delay: number;
  readonly #giveUp = new AbortController();
  readonly #failures: unknown[] = [];
  #next = 0;
  #running = 0;
  #over = false;

  constructor(targets: readonly AddressInfo[], options: ConnectionOptions, delay: number) {
    this.#targets = targets;
    this.#options = options;
    this.#delay = delay;
  }

  async run(): Promise<Socket> {
    const forget = onAbort(this.#options.signal, () => this.#giveUp.abort(this.#options.signal!.reason));
    try {
      return await new Promise<Socket>((resolve, reject) => this.#start(resolve, reject));
    } finally {
      forget();
      this.#giveUp.abort(new CancelledError('another address was faster'));
    }
  }

  #start(resolve: (winner: Socket) => void, reject: (error: unknown) => void): void {
    const target = this.#targets[this.#next++];
    if (target === undefined) return;
    this.#running++;
    const next = () => {
      timer.cancel();
      if (!this.#over) this.#start(resolve, reject);
    };
    const timer = realClock.setTimer(this.#delay, next);
    attempt(target, { ...this.#options, signal: this.#giveUp.signal }).then(
      (winner) => {
        timer.cancel();
        // Two may have been faster than the news of the first.
        if (this.#over) return winner.close();
        this.#over = true;
        resolve(winner);
      },
      (error: unknown) => {
        this.#failures.push(error);
        this.#over ||= error instanceof CancelledError || error instanceof TimeoutError;
        next();
        if (this.#over) reject(error);
        else if (--this.#running === 0 && this.#next >= this.#targets.length) reject(this.#failures[0]);
      },
    );
  }
}
