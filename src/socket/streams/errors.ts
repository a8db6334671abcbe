import { BrokenError, DecodeError, nameClass, SSLError, SystemError } from '../../base/errors.ts';

/** The stream ended before what was asked for had come; `partial` is what did. (asyncio.IncompleteReadError) */
export class IncompleteReadError extends BrokenError {
  readonly partial: Buffer;
  /** Bytes that were asked for; undefined when it was a separator. */
  readonly expected: number | undefined;

  constructor(partial: Buffer, expected: number | undefined) {
    super(`${partial.length} bytes read on a total of ${expected ?? 'undefined'} expected bytes`);
    this.partial = partial;
    this.expected = expected;
  }

  static {
    nameClass(this, 'IncompleteReadError');
  }
}

/** No separator within the limit; the bytes stay in the buffer, `consumed` of them seen. (asyncio.LimitOverrunError) */
export class LimitOverrunError extends DecodeError {
  readonly consumed: number;

  constructor(message: string, consumed: number) {
    super(message);
    this.consumed = consumed;
  }

  static {
    nameClass(this, 'LimitOverrunError');
  }
}

/** A failure of Node's sockets as ours: symbolic code, positive errno, system call; of TLS, OpenSSL's reason. */
export function socketError(error: Error): Error {
  const { code, errno, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code?.startsWith('ERR_SSL_') === true) return tlsError(error, code.slice('ERR_SSL_'.length));
  if (code === undefined || errno === undefined) return error;
  const path = address === undefined ? undefined : port === undefined ? address : `${address}:${port}`;
  return new SystemError(code, Math.abs(errno), syscall ?? 'socket', { path, cause: error });
}

// An alert of the other side, or a record that is none; failures of the handshake come from the context that made it.
function tlsError(error: Error, reason: string): SSLError {
  return new SSLError(`TLS failed: ${reason.toLowerCase().replaceAll('_', ' ')}`, { reason, cause: error });
}
