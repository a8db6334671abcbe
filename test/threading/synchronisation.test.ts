import { threads } from '../ipc/scopes.ts';
import { testSynchronisation } from '../ipc/sync-conformance.ts';

testSynchronisation(threads);
