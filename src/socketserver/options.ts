import { availableParallelism } from 'node:os';
import { checkSeconds } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { StartMethod } from '../multiprocessing/start-method.ts';
import { checkStartMethod, getStartMethod } from '../multiprocessing/start-method.ts';
import type { Address } from '../socket/address.ts';
import type { SecurityContext } from '../socket/security.ts';

/**
 * How clients are served: on the event loop (`async`), one after the other (`sequential`), each in a forked child (`fork`), in a new process
 * (`process`), in one of a pool (`processes`), by a program that has the connection as its standard input and output
 * (`subprocess`), on a pool of threads (`threads`).
 */
export type StyleName = 'async' | 'sequential' | 'fork' | 'process' | 'processes' | 'subprocess' | 'threads';

/** A context, or what makes one where the handler runs; the latter is what crosses to threads and processes. */
export type SecuritySource = SecurityContext | (() => SecurityContext | Promise<SecurityContext>);

/** How a server serves; all optional. */
export interface ServerOptions {
  /** `async`. With `threads`, `process` and `processes` the handler is `portable`, `fromModule` or a plain function. */
  readonly style?: StyleName | undefined;
  /** Clients served at a time; others wait in the backlog (1 if sequential, 40 with a process each, else no limit). */
  readonly maxClients?: number | undefined;
  /** Threads or processes of a pool (one a processor). */
  readonly workers?: number | undefined;
  /** How processes are made (that of `simul/multiprocessing`). */
  readonly startMethod?: StartMethod | undefined;
  /** Connections that may wait to be accepted (128). */
  readonly backlog?: number | undefined;
  /** Several servers, also of several processes, share the port; the kernel spreads the connections. */
  readonly reusePort?: boolean | undefined;
  /** An IPv6 server takes IPv4 as well. */
  readonly dualStack?: boolean | undefined;
  /** Seconds a call of the handler's connection may wait for a silent client. */
  readonly timeout?: number | undefined;
  /** Seconds until a request is given up altogether. */
  readonly requestTimeout?: number | undefined;
  /** Seconds a stop waits for what runs before it is cancelled (10). */
  readonly grace?: number | undefined;
  /** Bytes of a datagram at most (65,507). */
  readonly maxPacketSize?: number | undefined;
  /** Every connection is secured first. */
  readonly ssl?: SecuritySource | undefined;
  /** Whether to serve this client; a connection refused is closed. */
  readonly verifyRequest?: ((clientAddress: Address) => boolean | Promise<boolean>) | undefined;
  /** Hears of what handlers throw, and of failures between requests; by default they are written to standard error. */
  readonly onError?: ((error: unknown, clientAddress: Address) => void) | undefined;
  /** The server takes connections from now on. */
  readonly onReady?: ((serverAddress: Address) => void) | undefined;
}

/** Options with their defaults. */
export interface ServerSettings extends ServerOptions {
  readonly style: StyleName;
  readonly maxClients: number;
  readonly workers: number;
  readonly startMethod: StartMethod;
  readonly backlog: number;
  readonly grace: number;
  readonly maxPacketSize: number;
}

export const styleNames: readonly StyleName[] = [
  'async',
  'sequential',
  'fork',
  'process',
  'processes',
  'subprocess',
  'threads',
];

/** Checks options and fills in the defaults. */
export function settle(options: ServerOptions): ServerSettings {
  const { style = 'async' } = options;
  if (!styleNames.includes(style)) throw new InvalidArgumentError('style', style, styleNames.join(', '));
  const settings: ServerSettings = {
    ...options,
    style,
    maxClients: style === 'sequential' ? 1 : (options.maxClients ?? defaultClients(style)),
    workers: options.workers ?? availableParallelism(),
    startMethod: options.startMethod ?? getStartMethod(),
    backlog: options.backlog ?? 128,
    grace: options.grace ?? 10,
    maxPacketSize: options.maxPacketSize ?? 65_507,
  };
  check(settings);
  return settings;
}

function defaultClients(style: StyleName): number {
  return style === 'fork' || style === 'process' || style === 'subprocess' ? 40 : Infinity;
}

function check(settings: ServerSettings): void {
  if (settings.maxClients !== Infinity) atLeast('maxClients', settings.maxClients, 1);
  atLeast('workers', settings.workers, 1);
  atLeast('backlog', settings.backlog, 0);
  atLeast('maxPacketSize', settings.maxPacketSize, 1);
  for (const name of ['timeout', 'requestTimeout', 'grace'] as const) {
    const seconds = settings[name];
    if (seconds !== undefined) checkSeconds(name, seconds);
  }
  if (settings.style === 'process' || settings.style === 'processes') checkStartMethod(settings.startMethod);
  if (settings.ssl !== undefined && settings.style === 'subprocess') {
    throw new InvalidArgumentError(
      'ssl',
      settings.ssl,
      'nothing with style "subprocess": the program has the connection itself',
    );
  }
}

function atLeast(name: keyof ServerSettings, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new InvalidArgumentError(name, value, `a whole number, ${least} or more`);
  }
}
