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

/** Level of the options that all sockets have. */
export const SOL_SOCKET = 1;
/** Binds although connections of the address have not timed out yet. */
export const SO_REUSEADDR = 2;
/** The type of a socket; read only. */
export const SO_TYPE = 3;
/** The pending error of a socket, cleared by reading it. */
export const SO_ERROR = 4;
/** Permission to send to broadcast addresses. */
export const SO_BROADCAST = 6;
/** Bytes the kernel keeps for sending. */
export const SO_SNDBUF = 7;
/** Bytes the kernel keeps that were not received yet. */
export const SO_RCVBUF = 8;
/** Looks after a silent peer. */
export const SO_KEEPALIVE = 9;
/** Whether and how long `close` lets unsent data go on (struct linger). */
export const SO_LINGER = 13;
/** Several sockets share one address. */
export const SO_REUSEPORT = 15;
/** Whether the socket listens; read only. */
export const SO_ACCEPTCONN = 30;
/** The protocol of a socket; read only. */
export const SO_PROTOCOL = 38;
/** The family of a socket; read only. */
export const SO_DOMAIN = 39;

/** Level of the IPv4 options. */
export const IPPROTO_IP = 0;
/** Level of the TCP options. */
export const IPPROTO_TCP = 6;
/** Level of the UDP options. */
export const IPPROTO_UDP = 17;
/** Level of the IPv6 options. */
export const IPPROTO_IPV6 = 41;

/** Sends small writes at once. */
export const TCP_NODELAY = 1;
/** Seconds of silence before the first look after a peer. */
export const TCP_KEEPIDLE = 4;
/** Seconds between two looks. */
export const TCP_KEEPINTVL = 5;
/** Looks without an answer until the connection is given up. */
export const TCP_KEEPCNT = 6;
/** Milliseconds that sent data may stay without an answer. */
export const TCP_USER_TIMEOUT = 18;

/** How many routers a packet may pass. */
export const IP_TTL = 2;
/** The interface by which multicast datagrams leave. */
export const IP_MULTICAST_IF = 32;
/** How many routers a multicast datagram may pass. */
export const IP_MULTICAST_TTL = 33;
/** Whether this machine gets its own multicast datagrams. */
export const IP_MULTICAST_LOOP = 34;
/** Joins a multicast group. */
export const IP_ADD_MEMBERSHIP = 35;
/** Leaves a multicast group. */
export const IP_DROP_MEMBERSHIP = 36;
/** How many routers an IPv6 multicast datagram may pass. */
export const IPV6_MULTICAST_HOPS = 18;
/** Whether this machine gets its own IPv6 multicast datagrams. */
export const IPV6_MULTICAST_LOOP = 19;
/** Joins an IPv6 multicast group. */
export const IPV6_ADD_MEMBERSHIP = 20;
/** Leaves an IPv6 multicast group. */
export const IPV6_DROP_MEMBERSHIP = 21;
/** An IPv6 socket takes no IPv4 connections. */
export const IPV6_V6ONLY = 26;

/** For `shutdown`: nothing more is received. */
export const SHUT_RD = 0;
/** For `shutdown`: nothing more is sent; the other side reads to the end. */
export const SHUT_WR = 1;
/** For `shutdown`: both. */
export const SHUT_RDWR = 2;

/** The longest queue of connections that were not accepted yet, where the system was not told otherwise. */
export const SOMAXCONN = 4096;

/** An address family. */
export type AddressFamily = typeof AF_INET | typeof AF_INET6 | typeof AF_UNIX;
/** How a socket carries what it is given. */
export type SocketType = typeof SOCK_STREAM | typeof SOCK_DGRAM | typeof SOCK_SEQPACKET;
