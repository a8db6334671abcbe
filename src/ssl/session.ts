import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { peerX509 } from './peer-certificate.ts';

/**
 * What a client keeps to shorten its next handshake with the same server: pass it to `wrapSocket` of the same context.
 * The server's certificate is not checked again then, so it is of no use for another host name, nor after the context
 * was changed or reloaded. (ssl.SSLSession; RFC 8446 section 2.2)
 */
export class SSLSession {
  readonly serverHostname: string | undefined;
  /** @internal */
  readonly data: Buffer;
  /** @internal What it was agreed under: a context changes it with each of its settings. */
  readonly terms: object;
  /** @internal The server's, which it does not show again. */
  readonly certificate: X509Certificate | undefined;

  /** @internal */
  constructor(serverHostname: string | undefined, data: Buffer, terms: object, certificate?: X509Certificate) {
    this.serverHostname = serverHostname;
    this.data = data;
    this.terms = terms;
    this.certificate = certificate;
  }
}

const latest = new WeakMap<object, SSLSession>();

/** Keeps what the server sends for resumption; in TLS 1.3 that comes after the handshake, perhaps more than once. */
export function keepSession(tls: TLSSocket, serverHostname: string | undefined, terms: object): void {
  tls.on('session', (data) => latest.set(tls, new SSLSession(serverHostname, data, terms, peerX509(tls))));
}

/** The session that a client may resume; undefined while the server has sent none. */
export function sessionOf(tls: object): SSLSession | undefined {
  return latest.get(tls);
}
