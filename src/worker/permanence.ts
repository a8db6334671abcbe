import {
  BrokenError,
  ClosedError,
  ConnectionError,
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
