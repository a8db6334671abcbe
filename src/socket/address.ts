import { isIPv4, isIPv6 } from 'node:net';
import { InvalidArgumentError } from '../base/errors.ts';
import { libc } from '../os/libc.ts';
import type { AddressFamily } from './constants.ts';
import { AF_INET, AF_INET6, AF_UNIX } from './constants.ts';

/** An IPv4 or IPv6 address; '' as the host is any of this machine's, a scope stands behind `%`. */
export type InetAddress = readonly [host: string, port: number];
/** A path, a name without a file (`'\0name'`, one byte a character), or '' for a socket that has none. */
export type UnixAddress = string;
/** Where a socket is. */
export type Address = InetAddress | UnixAddress;
/** The addresses of a family. */
export type AddressOf<F extends AddressFamily> = F extends typeof AF_UNIX ? UnixAddress : InetAddress;

/** Bytes of a UNIX path at most: sun_path without its NUL (unix(7)). */
export const longestPath = 107;
/** Room for any address of the families known here. */
export const addressSize = 128;

/** An address for people: `host:port`, `[v6]:port`, a path, `@name` for an abstract one. */
export function showAddress(address: Address): string {
  if (typeof address === 'string') return address.startsWith('\0') ? `@${address.slice(1)}` : address || '(unnamed)';
  const [host, port] = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host === '' ? '*' : host}:${port}`;
}

/** A numeric address as the system takes it (struct sockaddr). */
export function encodeAddress(family: AddressFamily, address: Address): Buffer {
  if (family === AF_UNIX) return encodePath(checkUnix(address));
  const [host, port] = checkInet(address);
  return family === AF_INET ? encode4(host, port) : encode6(host, port);
}

/** The address that the system has written. */
export function decodeAddress(bytes: Buffer, length: number): Address {
  const family = length < 2 ? AF_UNIX : bytes.readUInt16LE(0);
  if (family === AF_INET) return [`${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`, bytes.readUInt16BE(2)];
  if (family === AF_INET6) return [decode6(bytes), bytes.readUInt16BE(2)];
  const path = bytes.subarray(2, Math.max(2, length));
  if (path.length === 0) return '';
  if (path[0] === 0) return path.toString('latin1');
  const end = path.indexOf(0);
  return path.toString('utf8', 0, end < 0 ? path.length : end);
}

/** Refuses what is no host and port. */
export function checkInet(address: unknown): InetAddress {
  if (!Array.isArray(address) || address.length < 2 || typeof address[0] !== 'string') {
    throw new InvalidArgumentError('address', address, 'an address [host, port]');
  }
  checkPort(address[1]);
  return address as unknown as InetAddress;
}

/** Refuses what is no port number; 0 lets the system choose where it may. */
export function checkPort(port: unknown): void {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new InvalidArgumentError('port', port, 'a port number from 0 to 65535');
}

/** Refuses what is no path or abstract name of a UNIX socket. */
export function checkUnix(address: unknown): UnixAddress {
  if (typeof address !== 'string') throw new InvalidArgumentError('address', address, 'the path of a UNIX socket');
  const size = address.startsWith('\0') ? address.length - 1 : Buffer.byteLength(address);
  if (size > longestPath) {
    throw new InvalidArgumentError('path', address, `a path of at most ${longestPath} bytes (this has ${size})`);
  }
  if (address.indexOf('\0', 1) > 0 && !address.startsWith('\0')) {
    throw new InvalidArgumentError('path', address, 'a path without NUL');
  }
  // What the system has are bytes: one a character, so that any name can be told and used again.
  if (address.startsWith('\0') && /[^\0-\xff]/.test(address)) {
    throw new InvalidArgumentError('path', address, 'a name of characters up to U+00FF, each of which is a byte');
  }
  return address;
}

function encodePath(path: string): Buffer {
  const abstract = path.startsWith('\0');
  const name = Buffer.from(path, abstract ? 'latin1' : 'utf8');
  const bytes = Buffer.alloc(2 + name.length + (abstract || path === '' ? 0 : 1));
  bytes.writeUInt16LE(AF_UNIX, 0);
  name.copy(bytes, 2);
  return bytes;
}

function encode4(host: string, port: number): Buffer {
  const numeric = host === '' ? '0.0.0.0' : host === '<broadcast>' ? '255.255.255.255' : host;
  if (!isIPv4(numeric)) throw new InvalidArgumentError('host', host, 'an IPv4 address');
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  for (const [i, part] of numeric.split('.').entries()) bytes[4 + i] = Number(part);
  return bytes;
}

function encode6(host: string, port: number): Buffer {
  const [numeric, scope] = (host === '' ? '::' : host).split('%') as [string, string | undefined];
  const mapped = isIPv4(numeric) ? `::ffff:${numeric}` : numeric;
  if (!isIPv6(mapped)) throw new InvalidArgumentError('host', host, 'an IPv6 address');
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  packIPv6(mapped).copy(bytes, 8);
  bytes.writeUInt32LE(scope === undefined ? 0 : interfaceIndex(scope), 24);
  return bytes;
}

/** The 16 bytes of an IPv6 address. */
export function packIPv6(host: string): Buffer {
  const bytes = Buffer.alloc(16);
  const done = libc('int inet_pton(int family, str text, void *bytes)')(AF_INET6, host, bytes);
  if (done !== 1) throw new InvalidArgumentError('host', host, 'an IPv6 address');
  return bytes;
}

/** The number of a network interface, given by number or name; 0 if there is none of that name. */
export function interfaceIndex(name: string): number {
  return /^\d+$/.test(name) ? Number(name) : libc('unsigned int if_nametoindex(str name)')(name);
}

function decode6(bytes: Buffer): string {
  const text = libc('str inet_ntop(int family, void *bytes, void *text, unsigned int size)') as unknown as (
    ...args: unknown[]
  ) => string;
  const host = text(AF_INET6, bytes.subarray(8, 24), Buffer.alloc(64), 64);
  const scope = bytes.readUInt32LE(24);
  return scope === 0 ? host : `${host}%${scope}`;
}
