import { testQueues } from '../ipc/queue-conformance.ts';
import { threads } from '../ipc/scopes.ts';

testQueues(threads);
