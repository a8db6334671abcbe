import { script } from '../../../redis/script.ts';

/**
 * Deletes claims whose work is done. KEYS: unacked, unacked_index, claims. ARGV: the tags.
 * Answers 1 if all were still held, else 0 or 1 for each.
 */
export const acknowledgeScript = script(`
local held = 1
local found = redis.call('HDEL', KEYS[1], unpack(ARGV))
if found < #ARGV then
  held = redis.call('ZMSCORE', KEYS[2], unpack(ARGV))
  local seen = {}
  for i = 1, #ARGV do
    held[i] = held[i] and not seen[ARGV[i]] and 1 or 0
    seen[ARGV[i]] = true
  end
end
redis.call('ZREM', KEYS[2], unpack(ARGV))
redis.call('SREM', KEYS[3], unpack(ARGV))
return held
`);

/**
 * Gives claims that are still held back to their lists, or keeps them as delayed ones.
 *
 * KEYS: unacked, unacked_index, claims, then for each claim the list or the queue's delayed set.
 * ARGV: for each claim its tag, the message, and, if it is delayed, the time it is due, its new tag and the end of its
 * value in \`unacked\`; else '' or, for the back of the list, 'last', and twice ''. Answers the errors: list and text in
 * turn.
 */
export const releaseScript = script(`
local failures = {}
local function give(i)
  local tag, message, due, newTag, tail = unpack(ARGV, i * 5 - 4, i * 5)
  if redis.call('HEXISTS', KEYS[1], tag) == 1 then
    local score = redis.call('ZSCORE', KEYS[2], tag)
    redis.call('ZREM', KEYS[2], tag)
    local done
    if due == '' then
      done = redis.pcall('RPUSH', KEYS[3 + i], message)
    elseif due == 'last' then
      done = redis.pcall('LPUSH', KEYS[3 + i], message)
    else
      done = redis.pcall('ZADD', KEYS[3 + i], due, newTag)
      redis.call('HSET', KEYS[1], newTag, '[' .. message .. tail)
      redis.call('ZADD', KEYS[2], due, newTag)
    end
    if type(done) == 'table' and done.err then
      failures[#failures + 1] = KEYS[3 + i]
      failures[#failures + 1] = done.err
      if score then redis.call('ZADD', KEYS[2], score, tag) end
      if newTag ~= '' then
        redis.call('HDEL', KEYS[1], newTag)
        redis.call('ZREM', KEYS[2], newTag)
      end
    else
      redis.call('HDEL', KEYS[1], tag)
      redis.call('SREM', KEYS[3], tag)
    end
  else
    redis.call('SREM', KEYS[3], tag)
  end
end

-- Each so that what was claimed first comes first again.
for i = #KEYS - 3, 1, -1 do
  if ARGV[i * 5 - 2] ~= 'last' then give(i) end
end
for i = 1, #KEYS - 3 do
  if ARGV[i * 5 - 2] == 'last' then give(i) end
end
return failures
`);

/**
 * Sets a claim that is still held aside. KEYS: unacked, unacked_index, claims, quarantine. ARGV: tag, entry.
 * Answers 1, or 0 for a claim that was lost.
 */
export const quarantineScript = script(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('LLEN', KEYS[4])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[4], ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[1])
return 1
`);
