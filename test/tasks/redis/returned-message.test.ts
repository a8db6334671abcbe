import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOfValue, objectMembers, setMember } from '../../../src/tasks/brokers/redis/json-text.ts';
import { bindingMember, delayedTag, readTag, stepOf, writeTag } from '../../../src/tasks/brokers/redis/layout.ts';
import { deliveryRecord, returnedMessage, routeOf } from '../../../src/tasks/brokers/redis/returned-message.ts';

test('members of an object are found whatever stands in it', () => {
  const text = ' { "a" : "x\\"}{" , "b\\u0041":[1,{"c":"]"}],"":{}, "n":-1.5e3,"t":true} ';
  const members = objectMembers(text)!;
  assert.deepEqual(
    members.map(({ key, start, end }) => [key, text.slice(start, end)]),
    [
      ['a', '"x\\"}{"'],
      ['bA', '[1,{"c":"]"}]'],
      ['', '{}'],
      ['n', '-1.5e3'],
      ['t', 'true'],
    ],
  );
  assert.deepEqual(objectMembers('{}'), []);
  for (const bad of ['', '[]', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a" 1}', '{a:1}', '{"a":"x}', '{"a":[}']) {
    assert.equal(objectMembers(bad), undefined, bad);
  }
  assert.equal(endOfValue('["]"]x', 0), 5);
});

test('a member is set in place, or in front of the others', () => {
  assert.equal(setMember('{"a": 1, "b": 2}', 0, 'b', '3'), '{"a": 1, "b": 3}');
  assert.equal(setMember('{"a": 1}', 0, 'b', '3'), '{"b": 3, "a": 1}');
  assert.equal(setMember('{}', 0, 'b', '3'), '{"b": 3}');
  assert.equal(setMember('{"b": 1, "b": 2}', 0, 'b', '3'), '{"b": 1, "b": 3}', 'readers take the last');
  assert.equal(setMember('[]', 0, 'b', '3'), '[]');
});

test('a message is marked once, and its losses are counted', () => {
  const fresh = '{"headers": {}, "properties": {"delivery_info": {"exchange": "", "routing_key": "q"}}}';
  assert.deepEqual(deliveryRecord(fresh), { redelivered: false, lost: 0 });
  const once = returnedMessage(fresh, false);
  assert.equal(returnedMessage(once, false), once);
  assert.deepEqual(deliveryRecord(once), { redelivered: true, lost: 0 });
  const lost = returnedMessage(returnedMessage(once, true), true);
  assert.deepEqual(deliveryRecord(lost), { redelivered: true, lost: 2 });
  assert.deepEqual(JSON.parse(lost), {
    headers: { redelivered: true },
    properties: { delivery_info: { exchange: '', routing_key: 'q', redelivered: true, simul_deliveries: 2 } },
  });
});

test('messages that lack parts, which kombu would lose, are kept', () => {
  assert.equal(returnedMessage('{"headers": null}', true), '{"headers": {"redelivered": true}}');
  assert.equal(returnedMessage('{"body": 1}', true), '{"headers": {"redelivered": true}, "body": 1}');
  assert.equal(
    returnedMessage('{"headers": {}, "properties": {"delivery_info": null}}', true),
    '{"headers": {"redelivered": true}, "properties": {"delivery_info": null}}',
  );
  assert.equal(returnedMessage('not JSON', true), 'not JSON');
  assert.deepEqual(deliveryRecord('{"headers": {"x": {"redelivered": true}}}'), { redelivered: false, lost: 0 });
});

test('routes and tags are read as they are written', () => {
  const text = '{"properties": {"priority": 6, "delivery_info": {"exchange": "ex\\u0065", "routing_key": "a b"}}}';
  assert.deepEqual(routeOf(text), { exchange: 'exe', routingKey: 'a b', priority: 6 });
  assert.deepEqual(routeOf('{"properties": null}'), {});
  for (const queue of ['celery', 'due', 'a:1:2:b', 'simul:due:1:2:x:3:y']) {
    const tag = { consumer: 'c0', number: 12, step: 3, queue };
    assert.deepEqual(readTag(writeTag(tag)), { ...tag, delayed: false });
    assert.deepEqual(readTag(delayedTag(tag, 900)), { ...tag, delayed: true });
  }
  for (const foreign of ['f533cff7-aeb4-4c5b-a96c-1c7c981feed7', '', 'simul:', 'simul:x', 'simul:x:y:0:q']) {
    assert.equal(readTag(foreign), undefined, foreign);
  }
  assert.deepEqual([undefined, 0, 2, 3, 5, 6, 8, 9, 255, -1].map(stepOf), [0, 0, 0, 1, 1, 2, 2, 3, 3, 0]);
  assert.equal(bindingMember('k', 'q'), 'k\x06\x16\x06\x16q');
});
