// The numbers of Linux (x64 and arm64), under the names of socket(7), ip(7), ipv6(7) and tcp(7).

/** IPv4: an address is `[host, port]`. */
export const AF_INET = 2 as const;
/** IPv6: an address is `[host, port]`. */
export const AF_INET6 = 10 as const;
/** This machine only: an address is a path, or `'\0' + name` for one without a file. */
export const AF_UNIX = 1 as const;

/** A connection: bytes in order. */
export const SOCK_STREAM = 1 as const;
/** Datagrams. */
export const SOCK_DGRAM = 2 as const;
/** A connection that keeps messages apart; UNIX only. */
export const SOCK_SEQPACKET = 5 as const;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_BROADCAST = 6;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_ACCEPTCONN = 30;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;

export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_IPV6 = 41;

export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_USER_TIMEOUT = 18;

export const IP_TTL = 2;
export const IP_MULTICAST_IF = 32;
export const IP_MULTICAST_TTL = 33;
export const IP_MULTICAST_LOOP = 34;
export const IP_ADD_MEMBERSHIP = 35;
export const IP_DROP_MEMBERSHIP = 36;
export const IPV6_MULTICAST_HOPS = 18;
export const IPV6_MULTICAST_LOOP = 19;
export const IPV6_ADD_MEMBERSHIP = 20;
export const IPV6_DROP_MEMBERSHIP = 21;
export const IPV6_V6ONLY = 26;

/** No more will be received, sent, either. */
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

/** The longest queue of connections that were not accepted yet, where the system was not told otherwise. */
export const SOMAXCONN = 4096;

/** An address family. */
export type AddressFamily = typeof AF_INET | typeof AF_INET6 | typeof AF_UNIX;
/** How a socket carries what it is given. */
export type SocketType = typeof SOCK_STREAM | typeof SOCK_DGRAM | typeof SOCK_SEQPACKET;
