/** Carries out one remote command; what it returns is the answer, what it throws an answer that says so. */
export type Command = (args: Readonly<Record<string, unknown>>) => unknown;

/** Returned by a command that is not to be answered. */
export const noReply = Symbol('no reply');
