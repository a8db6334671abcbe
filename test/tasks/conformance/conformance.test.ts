import { after, describe, it } from 'node:test';
import { backendBehaviours } from '../../../src/testing/backend-conformance.ts';
import { brokerBehaviours } from '../../../src/testing/broker-conformance.ts';
import type { Behaviour } from '../../../src/testing/conformance.ts';
import { Matrix } from '../../../src/testing/conformance.ts';
import type { Place } from './labs.ts';
import { places, stopServers } from './labs.ts';

function suite<Lab>(title: string, behaviours: readonly Behaviour<Lab>[], labOf: (place: Place) => Lab): void {
  const matrix = new Matrix(title);
  for (const [implementation, make] of Object.entries(places)) {
    describe(`${title}: ${implementation}`, () => {
      for (const behaviour of behaviours) {
        it(behaviour.name, async (t) => {
          await using place = make();
          const lab = labOf(place);
          const reason = behaviour.skip?.(lab);
          matrix.set(behaviour.name, implementation, reason === undefined ? 'FAIL' : '-');
          if (reason !== undefined) return t.skip(reason);
          await behaviour.run(lab);
          matrix.set(behaviour.name, implementation, 'ok');
        });
      }
    });
  }
  after(() => console.log(`\n${matrix.toString()}\n`));
}

suite('broker', brokerBehaviours, (place) => place.broker);
suite('result backend', backendBehaviours, (place) => place.backend);

after(stopServers);
