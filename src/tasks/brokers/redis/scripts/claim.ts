import { script } from '../../../redis/script.ts';

/**
 * Takes up to `max` messages and writes the claims in the same step. Nothing of it may fail once a message is popped:
 * Redis does not roll back, so the types of the keys are looked at first, and what can still fail is caught.
 *
 * KEYS: unacked, unacked_index, consumers, claims, quarantine, the delayed set of each queue, the lists step by step.
 * ARGV: consumer, first number, max, lease, the queues.
 * Answers: time the next delayed message is due (or ''), an error (or ''), then list and text of each message.
 */
export const claimScript = script(`
local queues = #ARGV - 4
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
redis.call('HLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])
redis.call('SCARD', KEYS[4])
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
local max = tonumber(ARGV[3])
local failure = ''

for q = 1, queues do
  local delayed = KEYS[5 + q]
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, max)
  for i = #due, 1, -1 do
    local tag = due[i]
    local value = redis.call('HGET', KEYS[1], tag)
    -- The first write may not need memory, or a full Redis refuses all the others too.
    redis.call('ZREM', KEYS[2], tag)
    local pushed = true
    if value then
      local step, bytes = string.match(tag, '^simul:due:(%d+):(%d+):')
      local list = KEYS[5 + queues + step * queues + q]
      local done = redis.pcall('RPUSH', list, string.sub(value, 2, 1 + bytes))
      if type(done) == 'table' and done.err then
        failure = list .. ' ' .. done.err
        redis.call('ZADD', KEYS[2], now, tag)
        pushed = false
      end
    end
    if pushed then
      redis.call('HDEL', KEYS[1], tag)
      redis.call('ZREM', delayed, tag)
    end
  end
end

local function read(text)
  if not string.find(text, '^[ \\t\\r\\n]*{') then return nil end
  local ok, message = pcall(cjson.decode, text)
  if not ok then
    -- cjson refuses halves of surrogate pairs, which JSON allows.
    ok, message = pcall(cjson.decode, (string.gsub(text, '\\\\u[dD][89a-fA-F]%x%x', '\\\\u0020')))
  end
  return ok and message or nil
end

local quoted = {}
local function quote(text)
  local json = quoted[text]
  if not json then
    json = cjson.encode(text)
    quoted[text] = json
  end
  return json
end

local function target(message, queue)
  local info = message.properties
  if type(info) == 'table' then info = info.delivery_info end
  local exchange, key = '', queue
  if type(info) == 'table' then
    if type(info.exchange) == 'string' then exchange = info.exchange end
    if type(info.routing_key) == 'string' then key = info.routing_key end
  end
  return ',' .. quote(exchange) .. ',' .. quote(key) .. ']'
end

local answer = {'', ''}
local values, scores, tags = {}, {}, {}
local number = tonumber(ARGV[2])
local left = max
for step = 0, 3 do
  for q = 1, queues do
    if left > 0 then
      local list, queue = KEYS[5 + queues + step * queues + q], ARGV[4 + q]
      local popped = redis.pcall('RPOP', list, left)
      if popped and popped.err then
        failure = list .. ' ' .. popped.err
      elseif popped then
        left = left - #popped
        for i = 1, #popped do
          local text = popped[i]
          local message = read(text)
          if message then
            local tag = 'simul:' .. ARGV[1] .. ':' .. string.format('%.0f', number) .. ':' .. step .. ':' .. queue
            values[#values + 1] = tag
            values[#values + 1] = '[' .. text .. target(message, queue)
            scores[#scores + 1] = now
            scores[#scores + 1] = tag
            tags[#tags + 1] = tag
            answer[#answer + 1] = step * queues + q - 1
            answer[#answer + 1] = text
            number = number + 1
          else
            local entry = cjson.encode({queue = queue, reason = 'the message is not a JSON object', time = now, text = text})
            local kept = redis.pcall('LPUSH', KEYS[5], entry)
            if type(kept) == 'table' and kept.err then
              redis.call('RPUSH', list, text)
              failure = KEYS[5] .. ' ' .. kept.err
              left = 0
            end
          end
        end
      end
    end
  end
end

if #tags > 0 then
  redis.call('HSET', KEYS[1], unpack(values))
  redis.call('ZADD', KEYS[2], unpack(scores))
  redis.call('SADD', KEYS[4], unpack(tags))
else
  local nearest
  for q = 1, queues do
    local first = redis.call('ZRANGE', KEYS[5 + q], 0, 0, 'WITHSCORES')
    if first[2] and (not nearest or tonumber(first[2]) < nearest) then nearest = tonumber(first[2]) end
  end
  if nearest then answer[1] = string.format('%.6f', nearest - now) end
end
answer[2] = failure
return answer
`);
