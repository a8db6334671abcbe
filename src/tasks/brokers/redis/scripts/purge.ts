import { script } from '../../../redis/script.ts';

/**
 * Deletes what waits in a queue, up to a number of messages, so that millions do not hold up everybody else.
 * KEYS: unacked, unacked_index, the queue's delayed set, its lists. ARGV: most. Answers how many.
 */
export const purgeScript = script(`
local most = tonumber(ARGV[1])
local count = 0
local tags = redis.call('ZRANGE', KEYS[3], 0, math.min(most, 5000) - 1)
if #tags > 0 then
  count = redis.call('HDEL', KEYS[1], unpack(tags))
  redis.call('ZREM', KEYS[2], unpack(tags))
  redis.call('ZREM', KEYS[3], unpack(tags))
end
for l = 4, #KEYS do
  local left = most - count
  if left > 0 then
    local length = redis.call('LLEN', KEYS[l])
    if length > left then
      redis.call('LTRIM', KEYS[l], left, -1)
      count = count + left
    else
      redis.call('DEL', KEYS[l])
      count = count + length
    end
  end
end
return count
`);
