import {
  BrokenError,
  ClosedError,
  ConnectionError,
  EncodeError,
  InvalidArgumentError,
  InvalidStateError,
  MissingLibraryError,
  UnsupportedError,
} from '../base/errors.ts';

/** Whether trying again is of no use until somebody changes something: a wrong password, a key of the wrong type. */
export function isPermanent(error: unknown): error is Error {
  if (error instanceof ConnectionError) return error.permanent;
  return [BrokenError, ClosedError, InvalidStateError, MissingLibraryError, UnsupportedError].some(
    (one) => error instanceof one,
  );
}

/** Whether it is what was to be written that is at fault, and not the store: no other try will do better. */
export function isRefusal(error: unknown): boolean {
  return [EncodeError, InvalidArgumentError, RangeError, TypeError].some((one) => error instanceof one);
}
