import { processes } from '../ipc/scopes.ts';
import { testSynchronisation } from '../ipc/sync-conformance.ts';

testSynchronisation(processes);
