import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup } from 'node:dns';
import { isIP, isIPv4 } from 'node:net';
import { constants } from 'node:os';
import { checkWait, Wait } from '../asyncio/wait.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { InvalidArgumentError } from '../base/errors.ts';
import type { Address, InetAddress } from './address.ts';
import { checkInet, checkPort, checkUnix } from './address.ts';
import type { AddressFamily, SocketType } from './constants.ts';
import { AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM } from './constants.ts';
import { lookupFailure, socketFailure } from './errors.ts';

/** What is looked up. */
export interface LookupRequest extends WaitOptions {
  /** `AF_INET` or `AF_INET6`; both without. */
  readonly family?: typeof AF_INET | typeof AF_INET6 | undefined;
  readonly type?: SocketType | undefined;
}

/** One way to reach a name: what `socket` and `connect` take. */
export interface AddressInfo {
  readonly family: typeof AF_INET | typeof AF_INET6;
  readonly type: SocketType;
  readonly address: InetAddress;
}

/**
 * The addresses of a host, in the order in which they should be tried; '' is this machine's wildcard. Throws SocketError
 * (ENOTFOUND and the like, EAFNOSUPPORT for an address of another family, with host and port), TimeoutError, CancelledError. getaddrinfo(3).
 *
 * @example
 * const [first] = await getaddrinfo('localhost', 80);
 */
export async function getaddrinfo(host: string, port: number, request: LookupRequest = {}): Promise<AddressInfo[]> {
  const { family, type = SOCK_STREAM } = request;
  if (typeof host !== 'string') throw new InvalidArgumentError('host', host, 'a host name or address');
  checkPort(port);
  checkWait(request);
  const found = isIP(host.split('%')[0]!) > 0 || host === '' ? literal(host, family) : await ask(host, port, request);
  if (found.length === 0) throw socketFailure('getaddrinfo', { address: [host, port] }, constants.errno.EAFNOSUPPORT);
  return found.map((each) => ({
    family: each.family === 6 ? AF_INET6 : AF_INET,
    type,
    address: [each.address, port],
  }));
}

/** An address whose host is numeric, as the system needs it: at once where it is so already. */
export function resolved(
  family: AddressFamily,
  address: Address,
  options?: WaitOptions,
): Address | Promise<InetAddress> {
  if (family === AF_UNIX) return checkUnix(address);
  const [host, port] = checkInet(address);
  if (isNumeric(family, host)) return address;
  return getaddrinfo(host, port, { ...options, family }).then(([first]) => first!.address);
}

function isNumeric(family: AddressFamily, host: string): boolean {
  if (host === '') return true;
  if (family === AF_INET) return isIPv4(host) || host === '<broadcast>';
  return host.includes(':') || isIPv4(host);
}

function literal(host: string, family: AddressFamily | undefined): LookupAddress[] {
  const both = [
    { address: host, family: 6 },
    { address: host, family: 4 },
  ];
  const fits = host === '' ? both : both.filter((each) => (each.family === 4) === isIPv4(host));
  return fits.filter((each) => family === undefined || (family === AF_INET6) === (each.family === 6));
}

// Beside the wait, not within it: a lookup cannot be called back.
async function ask(host: string, port: number, request: LookupRequest): Promise<LookupAddress[]> {
  const options: LookupOptions = { all: true };
  if (request.family !== undefined) options.family = request.family === AF_INET6 ? 6 : 4;
  const wait = new Wait<LookupAddress[]>(`the address of ${host}`, request, { external: true });
  lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error !== null) wait.reject(lookupFailure(host, port, error));
    else wait.resolve(addresses);
  });
  return wait.promise;
}
