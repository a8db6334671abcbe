export { SSLCertVerificationError, SSLEOFError, SSLError } from '../base/errors.ts';
export type { SSLFailure } from '../base/errors.ts';
export type { CertificateData } from '../ssl/chain.ts';
export {
  CERT_NONE,
  CERT_OPTIONAL,
  CERT_REQUIRED,
  PROTOCOL_TLS_CLIENT,
  PROTOCOL_TLS_SERVER,
  Purpose,
} from '../ssl/constants.ts';
export type { Protocol, TLSVersion, VerifyMode } from '../ssl/constants.ts';
export { SSLContext } from '../ssl/context.ts';
export type { SniCallback, WrapOptions } from '../ssl/context.ts';
export { createDefaultContext } from '../ssl/default-context.ts';
export type { ContextOptions } from '../ssl/default-context.ts';
export { getpeercert } from '../ssl/peer-certificate.ts';
export type { NameParts, PeerCertificate } from '../ssl/peer-certificate.ts';
export { SSLSession } from '../ssl/session.ts';
export { SSLSocket } from '../ssl/ssl-socket.ts';
export type { Cipher } from '../ssl/ssl-socket.ts';
export type { WatchOptions } from '../ssl/watch.ts';
export { CertificateAuthority, createAuthority, loadAuthority } from '../ssl/certificates/authority.ts';
export type { AuthorityOptions, CertificateOptions, IssueOptions } from '../ssl/certificates/authority.ts';
export { Certificate } from '../ssl/certificates/certificate.ts';
export type { KeyType } from '../ssl/certificates/key-type.ts';
