import type { Socket as NetSocket } from 'node:net';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { domainToASCII } from 'node:url';
import type { PeerCertificate as NodeCertificate, SecureContext } from 'node:tls';
import { checkServerIdentity, connect, TLSSocket } from 'node:tls';
import type { Call } from '../asyncio/wait.ts';
import { checkWait, Wait } from '../asyncio/wait.ts';
import type { WaitOptions } from '../base/deadline.ts';
import { ClosedError, SSLError } from '../base/errors.ts';
import { highWaterMark } from '../socket/streams/connection.ts';
import type { VerifyMode } from './constants.ts';
import { CERT_NONE, CERT_REQUIRED } from './constants.ts';
import type { Peer } from './failure.ts';
import { endOfFile, handshakeFailure, verificationFailure } from './failure.ts';
import { peerX509, rememberPeer } from './peer-certificate.ts';
import type { SSLSession } from './session.ts';
import { keepSession } from './session.ts';

/** Answers the name that a client asked for with the credentials for it; undefined: those there are. */
export type ServerNames = (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;

/** What both sides bring to a handshake. */
export interface Settings {
  readonly secureContext: SecureContext;
  readonly alpn: readonly string[];
  readonly verifyMode: VerifyMode;
}

/** What a client brings. */
export interface ClientSettings extends Settings {
  readonly serverHostname: string | undefined;
  readonly checkHostname: boolean;
  readonly session: SSLSession | undefined;
}

/** What a server brings. */
export interface ServerSettings extends Settings {
  readonly names: ServerNames | undefined;
}

/** Limits of a handshake, and the call that it is a step of. */
export interface HandshakeOptions extends WaitOptions {
  readonly call: Call;
}

/** Seconds that a handshake may take where nobody says otherwise, as in asyncio. */
const handshakeTimeout = 60;

// As the sockets beneath; Node's types do not know it. A record is 16 KiB, which Node 20 takes for a full buffer.
const buffers: object = { highWaterMark };

/** Begins TLS as the client. */
export function handshakeAsClient(
  transport: NetSocket | Duplex,
  settings: ClientSettings,
  options: HandshakeOptions,
): Promise<TLSSocket> {
  checkTransport(transport, options);
  const peer = peerOf(transport);
  const { serverHostname, session, checkHostname } = settings;
  const name = serverHostname === undefined ? undefined : wireName(serverHostname);
  const tls = connect({
    socket: transport,
    secureContext: settings.secureContext,
    rejectUnauthorized: settings.verifyMode !== CERT_NONE,
    checkServerIdentity: (_, certificate) =>
      checkHostname && name !== undefined ? identityFault(name, certificate) : undefined,
    ...alpnOf(settings),
    ...buffers,
    ...(session !== undefined && { session: session.data }),
    // RFC 6066 has no addresses in SNI.
    ...(name !== undefined && isIP(name) === 0 && { servername: name }),
  });
  keepSession(tls, serverHostname, settings.secureContext);
  const fault = (): undefined => {
    // Node says what OpenSSL found, also where nobody wants to know: what was not asked for is not proved.
    if (settings.verifyMode === CERT_NONE) tls.authorized = false;
    if (tls.isSessionReused()) rememberPeer(tls, session?.certificate);
  };
  return completed(tls, peer, { event: 'secureConnect', fault }, options);
}

/** Waits for a client to begin TLS. */
export function handshakeAsServer(
  transport: NetSocket | Duplex,
  settings: ServerSettings,
  options: HandshakeOptions,
): Promise<TLSSocket> {
  checkTransport(transport, options);
  const peer = peerOf(transport);
  const { verifyMode, names } = settings;
  const tls = new TLSSocket(transport, {
    isServer: true,
    secureContext: settings.secureContext,
    requestCert: verifyMode !== CERT_NONE,
    rejectUnauthorized: verifyMode === CERT_REQUIRED,
    ...alpnOf(settings),
    ...buffers,
    ...(names !== undefined && { SNICallback: names }),
  });
  const fault = (): Error | undefined => clientFault(tls, verifyMode, peer) ?? takeOver(tls, verifyMode);
  return completed(tls, peer, { event: 'secure', fault }, options);
}

interface Ready {
  readonly event: 'secure' | 'secureConnect';
  /** What is wrong although the handshake is through. */
  readonly fault: () => Error | undefined;
}

async function completed(
  tls: TLSSocket,
  peer: Peer,
  { event, fault }: Ready,
  { timeout = handshakeTimeout, signal, call }: HandshakeOptions,
): Promise<TLSSocket> {
  const wait = new Wait<void>('the TLS handshake', { timeout, signal }, { external: true }).partOf(call);
  const fail = (error: Error): void => void wait.reject(handshakeFailure(error, peer));
  const left = (): void => void wait.reject(endOfFile(peer));
  tls.once(event, () => {
    try {
      const error = fault();
      if (error === undefined) wait.resolve();
      else wait.reject(error);
    } catch (error) {
      wait.reject(error);
    }
  });
  tls.on('error', fail).on('end', left).on('close', left);
  // Node leaves a socket open that an alert or a broken record has ended; and either may come before the caller has set
  // up a listener of its own: reading tells it then.
  tls.on('error', () => tls.destroy());
  try {
    await wait.promise;
  } catch (error) {
    tls.destroy();
    throw error;
  }
  tls.off('error', fail).off('end', left).off('close', left);
  return tls;
}

/** Parts of a TLSSocket that every version of Node has but no page describes; tls.Server uses them in this way. */
interface ServerSide {
  readonly ssl: { verifyError(): (Error & { code?: string }) | null };
  _releaseControl(): boolean;
}

/**
 * Node itself only checks a client's certificate within tls.Server, and that cannot tell which connection of ours a
 * socket belongs to. OpenSSL's verdict is asked for here; without it nobody is let in.
 */
function clientFault(tls: TLSSocket, mode: VerifyMode, peer: Peer): Error | undefined {
  if (mode === CERT_NONE) return undefined;
  if (peerX509(tls) === undefined) {
    if (mode !== CERT_REQUIRED) return undefined;
    return new SSLError('the client shows no certificate', { ...peer, reason: 'PEER_DID_NOT_RETURN_A_CERTIFICATE' });
  }
  const verdict = (tls as unknown as ServerSide).ssl.verifyError();
  return verdict === null ? undefined : verificationFailure(verdict, peer);
}

// From here on errors are events of the socket: before, Node keeps them for its tls.Server.
function takeOver(tls: TLSSocket, mode: VerifyMode): undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node's name
  (tls as unknown as ServerSide)._releaseControl();
  tls.authorized = mode !== CERT_NONE && peerX509(tls) !== undefined;
}

/** As certificates and SNI have it: letters of other alphabets in ASCII. */
function wireName(name: string): string {
  return isIP(name) === 0 ? domainToASCII(name) || name : name;
}

/** As Node's check, but a name must stand among the alternative names: the common name says nothing. (RFC 9525) */
function identityFault(name: string, certificate: NodeCertificate): Error | undefined {
  const fault = checkServerIdentity(name, certificate);
  if (fault !== undefined || certificate.subjectaltname !== undefined) return fault;
  const reason = `Host: ${name}. The certificate has no alternative names`;
  return Object.assign(new Error(reason), { code: 'ERR_TLS_CERT_ALTNAME_INVALID', reason });
}

function alpnOf({ alpn }: Settings): { ALPNProtocols?: string[] } {
  return alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] };
}

function checkTransport(transport: Duplex, options: WaitOptions): void {
  checkWait(options);
  if (transport.destroyed) throw new ClosedError('the connection is closed');
}

// Asked for at once: the system forgets it when the connection ends.
function peerOf(transport: NetSocket | Duplex): Peer {
  if (!('remoteAddress' in transport)) return {};
  return { address: transport.remoteAddress, port: transport.remotePort };
}
