/** The closed list of codes; `docs/errors.md` documents each one and a test holds the two together. */
export const errorCodes = [
  'SIMUL_BROKEN',
  'SIMUL_CALLED_PROCESS',
  'SIMUL_CANCELLED',
  'SIMUL_CLOSED',
  'SIMUL_CONNECTION',
  'SIMUL_DECODE',
  'SIMUL_EMPTY',
  'SIMUL_ENCODE',
  'SIMUL_FULL',
  'SIMUL_INVALID_ARGUMENT',
  'SIMUL_INVALID_STATE',
  'SIMUL_MISSING_LIBRARY',
  'SIMUL_NOT_FOUND',
  'SIMUL_NOT_REGISTERED',
  'SIMUL_SSL',
  'SIMUL_SSL_CERT_VERIFICATION',
  'SIMUL_SSL_EOF',
  'SIMUL_SYSTEM',
  'SIMUL_TIMEOUT',
  'SIMUL_UNSUPPORTED',
] as const;

/** One of the closed list. */
export type ErrorCode = (typeof errorCodes)[number];

/**
 * The base of every error Simul throws: `code` is stable, `cause` is what lay beneath, further fields are data.
 *
 * @example
 * try { await result.get({ timeout: 1 }); } catch (error) { if (error instanceof SimulError) console.log(error.code); }
 */
export class SimulError extends Error {
  readonly code: ErrorCode | (string & {});

  constructor(code: ErrorCode | (string & {}), message: string, options: { cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
  }

  static {
    nameClass(this, 'SimulError');
  }
}

/** A wait ran out of time; `timeout` is the number of seconds it was given. */
export class TimeoutError extends SimulError {
  readonly timeout: number | undefined;

  constructor(message = 'timed out', options: { cause?: unknown; timeout?: number | undefined } = {}) {
    super('SIMUL_TIMEOUT', message, options);
    this.timeout = options.timeout;
  }

  static {
    nameClass(this, 'TimeoutError');
  }
}

/** The work was cancelled; `cause` is the reason where one was given. */
export class CancelledError extends SimulError {
  constructor(message = 'cancelled', options: { cause?: unknown } = {}) {
    super('SIMUL_CANCELLED', message, options);
  }

  static {
    nameClass(this, 'CancelledError');
  }
}

/** The object was closed by its owner: nothing more can be done with it. */
export class ClosedError extends SimulError {
  constructor(message = 'closed', options: { cause?: unknown } = {}) {
    super('SIMUL_CLOSED', message, options);
  }

  static {
    nameClass(this, 'ClosedError');
  }
}

/** The outside broke the object: a worker died, a peer vanished, a barrier was aborted. */
export class BrokenError extends SimulError {
  constructor(message = 'broken', options: { cause?: unknown } = {}) {
    super('SIMUL_BROKEN', message, options);
  }

  static {
    nameClass(this, 'BrokenError');
  }
}

/** A bounded queue has no room; `item` is what could not be put. */
export class FullError extends SimulError {
  readonly item: unknown;

  constructor(message = 'full', options: { cause?: unknown; item?: unknown } = {}) {
    super('SIMUL_FULL', message, options);
    this.item = options.item;
  }

  static {
    nameClass(this, 'FullError');
  }
}

/** A queue has nothing to give. */
export class EmptyError extends SimulError {
  constructor(message = 'empty', options: { cause?: unknown } = {}) {
    super('SIMUL_EMPTY', message, options);
  }

  static {
    nameClass(this, 'EmptyError');
  }
}

/** An argument or option is not acceptable; names it, shows what came and says what is allowed. */
export class InvalidArgumentError extends SimulError {
  readonly argument: string;
  readonly received: unknown;

  constructor(argument: string, received: unknown, allowed: string, options: { cause?: unknown } = {}) {
    super('SIMUL_INVALID_ARGUMENT', `${argument}: expected ${allowed}, received ${show(received)}`, options);
    this.argument = argument;
    this.received = received;
  }

  static {
    nameClass(this, 'InvalidArgumentError');
  }
}

/** The object is not in a state in which the operation makes sense. */
export class InvalidStateError extends SimulError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('SIMUL_INVALID_STATE', message, options);
  }

  static {
    nameClass(this, 'InvalidStateError');
  }
}

/** This platform, runtime or configuration cannot do it; the message says what could. */
export class UnsupportedError extends SimulError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('SIMUL_UNSUPPORTED', message, options);
  }

  static {
    nameClass(this, 'UnsupportedError');
  }
}

/** An optional library is not installed; the message is the command that installs it. */
export class MissingLibraryError extends SimulError {
  readonly library: string;

  constructor(library: string, purpose: string, options: { cause?: unknown } = {}) {
    super('SIMUL_MISSING_LIBRARY', `${purpose} needs the package "${library}": npm install ${library}`, options);
    this.library = library;
  }

  static {
    nameClass(this, 'MissingLibraryError');
  }
}

/** A value cannot be written to the wire; `path` says where inside the value. */
export class EncodeError extends SimulError {
  readonly path: string;

  constructor(path: string, reason: string, options: { cause?: unknown } = {}) {
    super('SIMUL_ENCODE', `cannot serialise ${path}: ${reason}`, options);
    this.path = path;
  }

  static {
    nameClass(this, 'EncodeError');
  }
}

/** Bytes from outside are not what they should be: malformed, too large, too deep, hostile. */
export class DecodeError extends SimulError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('SIMUL_DECODE', message, options);
  }

  static {
    nameClass(this, 'DecodeError');
  }
}

/** A server cannot be reached or refused us; `permanent` says that trying again is of no use until something is changed. */
export class ConnectionError extends SimulError {
  readonly permanent: boolean;

  constructor(message: string, options: { cause?: unknown; permanent?: boolean } = {}) {
    super('SIMUL_CONNECTION', message, options);
    this.permanent = options.permanent ?? false;
  }

  static {
    nameClass(this, 'ConnectionError');
  }
}

/** Where the other side of a TLS connection is, and what OpenSSL calls the failure. */
export interface SSLFailure {
  readonly cause?: unknown;
  /** OpenSSL's symbol, as in WRONG_VERSION_NUMBER. */
  readonly reason?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/** TLS failed: a handshake, a certificate or key that cannot be used, a record that is none. (ssl.SSLError) */
export class SSLError extends SimulError {
  readonly reason: string | undefined;
  readonly address: string | undefined;
  readonly port: number | undefined;

  constructor(message: string, failure: SSLFailure = {}, code: ErrorCode = 'SIMUL_SSL') {
    super(code, message, failure);
    this.reason = failure.reason;
    this.address = failure.address;
    this.port = failure.port;
  }

  static {
    nameClass(this, 'SSLError');
  }
}

/**
 * The other side's certificate is not to be trusted: expired, of another host, of an unknown authority. `verifyCode` is
 * OpenSSL's X509_V_ERR number, `verifyMessage` its text. (ssl.SSLCertVerificationError)
 */
export class SSLCertVerificationError extends SSLError {
  readonly verifyCode: number;
  readonly verifyMessage: string;

  constructor(message: string, failure: SSLFailure & { readonly verifyCode: number; readonly verifyMessage: string }) {
    super(message, failure, 'SIMUL_SSL_CERT_VERIFICATION');
    this.verifyCode = failure.verifyCode;
    this.verifyMessage = failure.verifyMessage;
  }

  static {
    nameClass(this, 'SSLCertVerificationError');
  }
}

/** The other side closed the connection before TLS was through with it. (ssl.SSLEOFError) */
export class SSLEOFError extends SSLError {
  constructor(message: string, failure: SSLFailure = {}) {
    super(message, failure, 'SIMUL_SSL_EOF');
  }

  static {
    nameClass(this, 'SSLEOFError');
  }
}

/** A function, module or object that was named does not exist. */
export class NotFoundError extends SimulError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('SIMUL_NOT_FOUND', message, options);
  }

  static {
    nameClass(this, 'NotFoundError');
  }
}

/**
 * An operating-system call failed. `code` is the symbolic errno (`ENOENT`), as Node's own errors have it, so that one
 * `catch` serves both; `errno` is the positive number.
 */
export class SystemError extends SimulError {
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;
  readonly fd: number | undefined;

  constructor(
    code: string,
    errno: number,
    syscall: string,
    details: { message?: string; path?: string | undefined; fd?: number | undefined; cause?: unknown } = {},
  ) {
    const where =
      details.path === undefined ? (details.fd === undefined ? '' : ` fd ${details.fd}`) : ` '${details.path}'`;
    super(code, `${code}: ${details.message ?? 'system call failed'}, ${syscall}${where}`, details);
    this.errno = errno;
    this.syscall = syscall;
    this.path = details.path;
    this.fd = details.fd;
  }

  static {
    nameClass(this, 'SystemError');
  }
}

/** Sets the class name on the prototype, where minifiers and `toString` find it and own-key listings do not. */
export function nameClass(cls: abstract new (...args: never[]) => Error, name: string): void {
  Object.defineProperty(cls.prototype, 'name', { value: name, configurable: true, writable: true, enumerable: false });
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 97)}...` : value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return value.toString();
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name = value.constructor?.name;
  return name && name !== 'Object' ? `a ${name}` : 'an object';
}
