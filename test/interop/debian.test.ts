// Debian's Celery 5.2, the second row of the matrix. What differs from the pinned one, and why:
// - kombu 5.2 writes datetime, UUID and Decimal as plain text, refuses bytes, and reads no typed value back: so only
//   plain values make the round trip, and what a Date or Typed of ours is to it, it shows as a dict.
import { debianCelery } from '../../tools/programs.ts';
import { pythonCallsSimul } from './python-calls.ts';
import { plain, simulCallsPython } from './simul-calls.ts';
import { plainValues } from './values.ts';

pythonCallsSimul('Celery 5.2', plainValues, debianCelery);
simulCallsPython('Celery 5.2', plain, debianCelery);
