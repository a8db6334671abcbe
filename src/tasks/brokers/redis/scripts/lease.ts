import { script } from '../../../redis/script.ts';

/**
 * Renews a consumer's lease and the scores by which Celery's workers judge its claims.
 * KEYS: consumers, consumer, claims, unacked_index. ARGV: consumer, lease, then fields and values of the hash.
 */
export const renewScript = script(`
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
-- A full Redis refuses a first write that needs memory, and then all others.
redis.call('ZREM', KEYS[1], '')
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
local tags = redis.call('SMEMBERS', KEYS[3])
for from = 1, #tags, 1000 do
  local scores = {}
  for i = from, math.min(from + 999, #tags) do
    scores[#scores + 1] = now
    scores[#scores + 1] = tags[i]
  end
  redis.call('ZADD', KEYS[4], 'XX', unpack(scores))
end
return #tags
`);

/**
 * Gives claims of the dead back. Only while the consumer is as it was seen: one that is back renews, and so ends it.
 *
 * KEYS: unacked, unacked_index, consumers, consumer, claims, then the list of each claim.
 * ARGV: consumer, the score and client it was seen with ('' gives back in any case), then tag and message of
 * each claim. Answers how many were given back, or -1.
 */
export const restoreScript = script(`
if ARGV[2] ~= '' then
  if (redis.call('ZSCORE', KEYS[3], ARGV[1]) or '') ~= ARGV[2] then return -1 end
  if (redis.call('HGET', KEYS[4], 'client') or '') ~= ARGV[3] then return -1 end
end
local restored = 0
for i = #KEYS - 5, 1, -1 do
  local tag, message = ARGV[2 + i * 2], ARGV[3 + i * 2]
  if redis.call('HEXISTS', KEYS[1], tag) == 1 then
    local score = redis.call('ZSCORE', KEYS[2], tag)
    redis.call('ZREM', KEYS[2], tag)
    local done = redis.pcall('RPUSH', KEYS[5 + i], message)
    if type(done) == 'table' and done.err then
      if score then redis.call('ZADD', KEYS[2], score, tag) end
    else
      redis.call('HDEL', KEYS[1], tag)
      redis.call('SREM', KEYS[5], tag)
      restored = restored + 1
    end
  else
    redis.call('SREM', KEYS[5], tag)
    redis.call('ZREM', KEYS[2], tag)
  end
end
return restored
`);

/** Forgets a consumer that has no claims. KEYS: consumers, consumer, claims, begun. ARGV: consumer, score, client as seen. */
export const buryScript = script(`
if ARGV[2] ~= '' then
  if (redis.call('ZSCORE', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
  if (redis.call('HGET', KEYS[2], 'client') or '') ~= ARGV[3] then return 0 end
end
if redis.call('SCARD', KEYS[3]) > 0 then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[4])
return 1
`);

/** Becomes or stays the one who looks after the dead. KEYS: steward. ARGV: name, milliseconds. Answers 1 if it is. */
export const stewardScript = script(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
-- Needs no memory, unlike SET: a full Redis lets a script that has begun go on.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** Deletes a lock of our own. KEYS: lock. ARGV: token. */
export const unlockScript = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`);

/** Notes claims that were begun, also in a full Redis. KEYS: begun. ARGV: the tags. */
export const beginScript = script(`
redis.call('SREM', KEYS[1], '')
return redis.call('SADD', KEYS[1], unpack(ARGV))
`);
