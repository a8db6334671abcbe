import { constants } from 'node:os';
import { nameClass, SystemError } from '../base/errors.ts';
import { errno as lastErrno, systemError } from '../os/libc.ts';
import type { Address } from './address.ts';
import { showAddress } from './address.ts';

/** A socket call failed: a SystemError that also has the address (host or path) and the port it was about. */
export class SocketError extends SystemError {
  readonly address: string | undefined;
  readonly port: number | undefined;

  constructor(
    code: string,
    errno: number,
    syscall: string,
    details: { message?: string; address?: Address | undefined; fd?: number | undefined; cause?: unknown } = {},
  ) {
    const { address, ...rest } = details;
    super(code, errno, syscall, { ...rest, path: address === undefined ? undefined : showAddress(address) });
    this.address = typeof address === 'string' ? address : address?.[0];
    this.port = typeof address === 'string' ? undefined : address?.[1];
  }

  static {
    nameClass(this, 'SocketError');
  }
}

/** The error of the call that has just failed, or of `errno`, with the system's own words. */
export function socketFailure(
  syscall: string,
  about: { readonly address?: Address | undefined; readonly fd?: number | undefined } = {},
  errno: number = lastErrno(),
): SocketError {
  const { code, message } = systemError(syscall, { errno });
  const words = message.slice(code.length + 2, message.length - syscall.length - 2);
  return new SocketError(code, errno, syscall, { ...about, message: words });
}

/** A name that cannot be resolved. Node's codes for it are c-ares' and getaddrinfo's, beside the system's. */
export function lookupFailure(host: string, port: number, cause: NodeJS.ErrnoException): SocketError {
  const code = cause.code ?? 'ENOTFOUND';
  const errno = constants.errno[code as keyof typeof constants.errno] ?? Math.abs(cause.errno ?? 0);
  const message = code === 'ENOTFOUND' ? 'the name does not resolve' : 'the name could not be resolved';
  return new SocketError(code, errno, 'getaddrinfo', { address: [host, port], message, cause });
}
