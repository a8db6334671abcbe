import { SimulError, SSLCertVerificationError, SSLEOFError, SSLError } from '../base/errors.ts';
import { showAddress } from '../socket/address.ts';
import { SocketError } from '../socket/errors.ts';
import { verifyCodes } from './verify-codes.ts';

/** The other side of a connection, as far as it is known. */
export interface Peer {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

type NodeError = NodeJS.ErrnoException & { readonly reason?: string };

/** A failed handshake as ours; what Node says of it is the cause. */
export function handshakeFailure(error: Error, peer: Peer): Error {
  if (error instanceof SimulError) return error;
  const { code = '', errno, syscall } = error as NodeError;
  if (isVerification(code)) return verificationFailure(error, peer);
  if (code.startsWith('ERR_SSL_')) return protocolFailure(error, code, peer);
  if (errno !== undefined) {
    const { address, port } = peer;
    const about = address === undefined ? {} : { address: port === undefined ? address : ([address, port] as const) };
    const message = 'the TLS handshake failed';
    return new SocketError(code, Math.abs(errno), syscall ?? 'read', { ...about, message, cause: error });
  }
  // Node reports an end of file in the handshake as a reset that no system call gave.
  if (code === 'ECONNRESET') return endOfFile(peer, error);
  return new SSLError(`TLS handshake${withPeer(peer)} failed: ${error.message}`, {
    ...peer,
    reason: code,
    cause: error,
  });
}

/** The other side left in the middle of the handshake. */
export function endOfFile(peer: Peer, cause?: Error): SSLEOFError {
  const message = `TLS handshake${withPeer(peer)} failed: the other side closed the connection`;
  return new SSLEOFError(message, { ...peer, reason: 'UNEXPECTED_EOF', ...(cause && { cause }) });
}

/** `error` is what Node or OpenSSL found wrong with the certificate. */
export function verificationFailure(error: Error, peer: Peer): SSLCertVerificationError {
  const symbol = (error as NodeError).code ?? 'UNSPECIFIED';
  const hostname = symbol === hostnameMismatch;
  const reason = hostname ? 'HOSTNAME_MISMATCH' : symbol;
  // Of the host name Node tells all in `reason`: which name was asked for and which the certificate has.
  const text = hostname ? ((error as NodeError).reason ?? error.message) : error.message;
  // Newer versions of Node add advice to OpenSSL's text.
  const verifyMessage = text.replace(/\.$|; if the root CA is installed locally, .*$/, '');
  return new SSLCertVerificationError(`certificate${withPeer(peer, 'of')} is not trusted: ${verifyMessage}`, {
    ...peer,
    reason,
    verifyCode: verifyCodes.get(reason) ?? 1,
    verifyMessage,
    cause: error,
  });
}

function isVerification(code: string): boolean {
  return code === hostnameMismatch || verifyCodes.has(code);
}

function protocolFailure(error: Error, code: string, peer: Peer): SSLError {
  const reason = code.slice('ERR_SSL_'.length);
  const text = (error as NodeError).reason ?? reason.toLowerCase().replaceAll('_', ' ');
  const hint = notTls.has(reason) ? '; the other side does not speak TLS' : '';
  return new SSLError(`TLS handshake${withPeer(peer)} failed: ${text}${hint}`, { ...peer, reason, cause: error });
}

const hostnameMismatch = 'ERR_TLS_CERT_ALTNAME_INVALID';

// What OpenSSL makes of bytes that are no TLS record.
const notTls = new Set(['WRONG_VERSION_NUMBER', 'HTTP_REQUEST', 'HTTPS_PROXY_REQUEST', 'PACKET_LENGTH_TOO_LONG']);

function withPeer(peer: Peer, preposition = 'with'): string {
  const name = where(peer);
  return name === undefined ? '' : ` ${preposition} ${name}`;
}

function where({ address, port }: Peer): string | undefined {
  return address === undefined || port === undefined ? address : showAddress([address, port]);
}
