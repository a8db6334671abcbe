import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { InvalidArgumentError } from '../base/errors.ts';
import { interfaceIndex, packIPv6 } from './address.ts';
import * as C from './constants.ts';
import type { AddressFamily } from './constants.ts';
import { getNumber, setOption } from './native.ts';

/** Options by name, for those who do not know the numbers of setsockopt. */
export interface SocketOptions {
  /** Binds to an address whose last connections have not timed out yet. */
  readonly reuseAddress?: boolean | undefined;
  /** Several sockets, also of several processes, share one address; the kernel spreads what comes. */
  readonly reusePort?: boolean | undefined;
  /** Small writes go out at once (no Nagle). */
  readonly noDelay?: boolean | undefined;
  /** Looks after a silent peer; a number is the seconds of silence before the first look. */
  readonly keepAlive?: boolean | number | undefined;
  readonly broadcast?: boolean | undefined;
  /** Bytes the kernel keeps; it doubles what is asked for and bounds it (net.core.rmem_max). */
  readonly receiveBuffer?: number | undefined;
  readonly sendBuffer?: number | undefined;
  /** An IPv6 socket takes no IPv4 connections. */
  readonly ipv6Only?: boolean | undefined;
  /** Seconds `close` lets unsent data go on; 0 resets the connection instead. */
  readonly linger?: number | undefined;
  /** How many routers a multicast datagram may pass, and whether this machine gets it as well. */
  readonly multicastTtl?: number | undefined;
  readonly multicastLoop?: boolean | undefined;
}

/** Sets options by name. Throws SocketError, InvalidArgumentError. */
export function setOptions(fd: number, family: AddressFamily, options: SocketOptions): void {
  for (const [name, value] of Object.entries(options) as [keyof SocketOptions, unknown][]) {
    if (value === undefined) continue;
    const set = setters[name];
    if (set === undefined) throw new InvalidArgumentError('options', name, Object.keys(setters).join(', '));
    set(fd, value as never, family);
  }
}

/** Joins or leaves a multicast group, on the interface of an address or a name (by default the system's choice). */
export function membership(
  fd: number,
  family: AddressFamily,
  group: string,
  { join, via }: { readonly join: boolean; readonly via: string | undefined },
): void {
  if (family === C.AF_INET) {
    if (!isIPv4(group)) throw new InvalidArgumentError('group', group, 'an IPv4 multicast address');
    const request = Buffer.concat([octets(group), octets(interfaceAddress(via))]);
    setOption(fd, C.IPPROTO_IP, join ? C.IP_ADD_MEMBERSHIP : C.IP_DROP_MEMBERSHIP, request);
    return;
  }
  const request = Buffer.alloc(20);
  packIPv6(group).copy(request);
  request.writeUInt32LE(via === undefined ? 0 : interfaceIndex(via), 16);
  setOption(fd, C.IPPROTO_IPV6, join ? C.IPV6_ADD_MEMBERSHIP : C.IPV6_DROP_MEMBERSHIP, request);
}

/** A number, boolean or bytes as setsockopt takes it. */
export function optionBytes(value: number | boolean | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const number = Number(value);
  if (!Number.isInteger(number) || Math.abs(number) > 0x7fffffff) {
    throw new InvalidArgumentError('value', value, 'a whole number, a boolean or bytes');
  }
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(number);
  return bytes;
}

/** Whether small writes go out at once already; setting it again would cost every connection a system call. */
export function hasNoDelay(fd: number): boolean {
  return getNumber(fd, C.IPPROTO_TCP, C.TCP_NODELAY) !== 0;
}

type Setter<K extends keyof SocketOptions> = (
  fd: number,
  value: NonNullable<SocketOptions[K]>,
  family: AddressFamily,
) => void;

const number =
  (level: number, option: number) =>
  (fd: number, value: number | boolean): void =>
    setOption(fd, level, option, optionBytes(value));

/** @internal */
export const setters: { readonly [K in keyof Required<SocketOptions>]: Setter<K> } = {
  reuseAddress: number(C.SOL_SOCKET, C.SO_REUSEADDR),
  reusePort: number(C.SOL_SOCKET, C.SO_REUSEPORT),
  noDelay: number(C.IPPROTO_TCP, C.TCP_NODELAY),
  broadcast: number(C.SOL_SOCKET, C.SO_BROADCAST),
  receiveBuffer: number(C.SOL_SOCKET, C.SO_RCVBUF),
  sendBuffer: number(C.SOL_SOCKET, C.SO_SNDBUF),
  ipv6Only: number(C.IPPROTO_IPV6, C.IPV6_V6ONLY),
  keepAlive: (fd, value) => {
    setOption(fd, C.SOL_SOCKET, C.SO_KEEPALIVE, optionBytes(value !== false));
    if (typeof value === 'number') setOption(fd, C.IPPROTO_TCP, C.TCP_KEEPIDLE, optionBytes(Math.ceil(value)));
  },
  linger: (fd, value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(1);
    bytes.writeInt32LE(value, 4);
    setOption(fd, C.SOL_SOCKET, C.SO_LINGER, bytes);
  },
  multicastTtl: (fd, value, family) => {
    if (family === C.AF_INET) setOption(fd, C.IPPROTO_IP, C.IP_MULTICAST_TTL, optionBytes(value));
    else setOption(fd, C.IPPROTO_IPV6, C.IPV6_MULTICAST_HOPS, optionBytes(value));
  },
  multicastLoop: (fd, value, family) => {
    if (family === C.AF_INET) setOption(fd, C.IPPROTO_IP, C.IP_MULTICAST_LOOP, optionBytes(value));
    else setOption(fd, C.IPPROTO_IPV6, C.IPV6_MULTICAST_LOOP, optionBytes(value));
  },
};

function octets(host: string): Buffer {
  return Buffer.from(host.split('.').map(Number));
}

function interfaceAddress(via: string | undefined): string {
  if (via === undefined) return '0.0.0.0';
  if (isIPv4(via)) return via;
  const found = networkInterfaces()[via]?.find((each) => each.family === 'IPv4');
  if (found === undefined) throw new InvalidArgumentError('interface', via, 'an interface that has an IPv4 address');
  return found.address;
}
