-- What the server does for the gateway. Loaded as a function library, or as one script per function where
-- functions are forbidden. Checks come before the first write: nothing is rolled back.
--
-- Keys of a shard: head (hash), log (stream), timers (sorted set). Fields of the head:
--   n  number of the last log entry     p  where the log was applied up to     b  recent batch ids, 16 bytes each
--   t  token of the owner   e  epoch    o  owner                               u  end of its lease, ms
-- One entry of a log stream holds several log entries; its id is `<number of the last one>-<how many>`.

local function text(number)
  return string.format('%.0f', number)
end

-- The server's clock, or the one that was handed in (milliseconds).
local function micros(given)
  if given ~= '' then return tonumber(given) * 1000 end
  local now = redis.call('TIME')
  return now[1] * 1000000 + now[2]
end

local function clock(given)
  return math.floor(micros(given) / 1000)
end

-- In parts: Lua passes at most some thousand arguments. The step is even, pairs stay together.
local function spread(command, key, values, first, last)
  for from = first, last, 2000 do
    redis.call(command, key, unpack(values, from, math.min(from + 1999, last)))
  end
end

local function add(head, log, count, pack)
  local last = text(redis.call('HINCRBY', head, 'n', count))
  redis.call('XADD', log, last .. '-' .. count, 'd', pack)
  return last
end

-- Tells other nodes how far logs reach. An empty channel: there is nobody else.
local function wake(channel, news)
  if channel ~= '' and #news > 1 then redis.call('PUBLISH', channel, table.concat(news, ' ')) end
end

-- keys: head, log of each shard; args: channel, instance, then shard, count, pack of each. -> last numbers
local function append(keys, args)
  local lasts, news = {}, {args[2]}
  for i = 1, #keys / 2 do
    local at = 3 * i
    local last = add(keys[2 * i - 1], keys[2 * i], args[at + 1], args[at + 2])
    lasts[i] = last
    news[i + 1] = args[at] .. ':' .. last
  end
  wake(args[1], news)
  return lasts
end

local APPLIED, ALREADY, FENCED, POSITION = 1, 2, 3, 4
local BATCH_IDS_BYTES = 128

local function knows(ids, id)
  local at = string.find(ids, id, 1, true)
  while at and at % 16 ~= 1 do at = string.find(ids, id, at + 1, true) end
  return at
end

-- What the commits of one call write together: Redis pays by the command.
local function write_snapshots(pairs)
  for from = 1, #pairs, 2000 do
    redis.call('MSET', unpack(pairs, from, math.min(from + 1999, #pairs)))
  end
end

-- Facts are found by the time of their commit. Ids carry eleven bits of sequence to the reader, so a clock that
-- stands still is pushed on before they run out.
local PACK_VERSION, FACTS_IN_PACK = '\1', 4000
local function write_facts(key, facts)
  if facts.count == 0 then return end
  local id = redis.call('XADD', key, '*', 'd', PACK_VERSION .. table.concat(facts))
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  if tonumber(seq) >= 2000 then redis.call('XSETID', key, text(tonumber(ms) + 1) .. '-0') end
end

local function add_facts(key, facts, count, pack)
  if facts.count + count > FACTS_IN_PACK then
    write_facts(key, facts)
    for i = #facts, 1, -1 do facts[i] = nil end
    facts.count = 0
  end
  facts[#facts + 1] = pack
  facts.count = facts.count + count
end

-- What is remembered for a time: a hash per period, that goes when the last of it has ended.
local function remember(key, life_ms, args, first, last)
  spread('HSET', key, args, first, last)
  redis.call('PEXPIRE', key, life_ms, 'NX')
end

local function set_aside(letters, index, id, letter)
  if redis.call('HSETNX', index, id, '') == 1 then
    redis.call('HSET', index, id, redis.call('XADD', letters, '*', 'i', id, 'd', letter))
  end
end

-- `previous` is the batch that the owner knows as the newest, '' before it committed any: a copy of an older call
-- that comes late, and moves no position, finds another one.
local function check(head, token, batch, previous, expected, new)
  local known = redis.call('HMGET', head, 't', 'p', 'b', 'n')
  local position, batches, last = known[2] or '0', known[3] or '', known[4] or '0'
  if known[1] ~= token then return FENCED, last, batches end
  if knows(batches, batch) then return ALREADY, last, batches end
  if previous ~= '' and string.sub(batches, 1, 16) ~= previous then return POSITION, last, batches end
  local from, to = tonumber(expected), tonumber(new)
  if position ~= expected or to < from or to > tonumber(last) then return POSITION, last, batches end
  return APPLIED, last, batches
end

-- An owner that has caught up leaves nothing behind; one that is busy trims seldom.
local TRIM_EVERY = 64
local function trim(log, expected, new, last)
  local from, to = tonumber(expected), tonumber(new)
  local crossed = math.floor(from / TRIM_EVERY) ~= math.floor(to / TRIM_EVERY)
  if to > from and (crossed or new == last) then redis.call('XTRIM', log, 'MINID', '=', text(to + 1)) end
end

-- args of each: counts (ten numbers of four bytes), token, batch id, the one before, expected and new
-- position, then what is counted.
-- -> {status, last number, timers, last numbers of forwards or the newest batch}, number of keys, number of args;
-- without timers and what follows them if it is refused
local COUNTS, HEADER = '>I4I4I4I4I4I4I4I4I4I4', 6
local function commit_one(keys, args, k, a, call)
  local own_keys, own_args, writes, sets, removes, packs, results, seen, letters, forwards =
    struct.unpack(COUNTS, args[a + 1])
  local token, batch, previous, expected, new = unpack(args, a + 2, a + HEADER)
  local head, log, timers = keys[k + 1], keys[k + 2], keys[k + 3]
  local status, last, batches = check(head, token, batch, previous, expected, new)
  if status == ALREADY then
    -- A write, so that WAIT on this connection covers what it repeats.
    redis.call('HSET', head, 'b', batches)
    return {status, last, redis.call('ZCARD', timers), string.sub(batches, 1, 16)}, own_keys, own_args
  end
  if status ~= APPLIED then return {status, last}, own_keys, own_args end
  redis.call('HSET', head, 'p', new, 'b', string.sub(batch .. batches, 1, BATCH_IDS_BYTES))
  trim(log, expected, new, last)
  k, a = k + 3, a + HEADER
  local snapshots = call.snapshots
  for i = 1, writes do
    snapshots[#snapshots + 1] = keys[k + i]
    snapshots[#snapshots + 1] = args[a + i]
  end
  k, a = k + writes, a + writes
  if sets > 0 then spread('ZADD', timers, args, a + 1, a + 2 * sets) end
  a = a + 2 * sets
  if removes > 0 then spread('ZREM', timers, args, a + 1, a + removes) end
  a = a + removes
  for i = 1, packs do add_facts(keys[1], call.facts, tonumber(args[a + 2 * i - 1]), args[a + 2 * i]) end
  a = a + 2 * packs
  if results > 0 then
    remember(keys[k + 1], call.result_life, args, a + 1, a + 2 * results)
    k, a = k + 1, a + 2 * results
  end
  if seen > 0 then
    remember(keys[k + 1], call.seen_life, args, a + 1, a + 2 * seen)
    k, a = k + 1, a + 2 * seen
  end
  for i = 1, letters do set_aside(keys[k + 1], keys[k + 2], args[a + 2 * i - 1], args[a + 2 * i]) end
  if letters > 0 then k, a = k + 2, a + 2 * letters end
  local answer, news = {status, last, redis.call('ZCARD', timers)}, call.news
  for i = 1, forwards do
    local reached = add(keys[k + 2 * i - 1], keys[k + 2 * i], args[a + 3 * i - 1], args[a + 3 * i])
    answer[#answer + 1] = reached
    news[#news + 1] = args[a + 3 * i - 2] .. ':' .. reached
  end
  return answer, own_keys, own_args
end

-- keys: facts, then those of the commits; args: channel, instance, how long results and seen ids are kept, then the
-- commits. -> answer of each
local function commit(keys, args)
  local call = {snapshots = {}, facts = {count = 0}, news = {args[2]}, result_life = args[3], seen_life = args[4]}
  local k, a, answers = 1, 4, {}
  while k < #keys do
    local answer, own_keys, own_args = commit_one(keys, args, k, a, call)
    answers[#answers + 1] = answer
    k, a = k + own_keys, a + own_args
  end
  write_snapshots(call.snapshots)
  write_facts(keys[1], call.facts)
  wake(args[1], call.news)
  return answers
end

-- keys: head; args: as a commit begins, without counts. -> status, nothing written
local function verify(keys, args)
  return {(check(keys[1], unpack(args)))}
end

-- keys: nodes (sorted set, by end of presence); args: clock, node, ttl. -> all that are there
local function heartbeat(keys, args)
  local now = clock(args[1])
  redis.call('ZADD', keys[1], text(now + tonumber(args[3])), args[2])
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', text(now))
  return redis.call('ZRANGE', keys[1], 0, -1)
end

-- keys: slots of a number; args: clock, spacing and how far ahead in microseconds, limit, wanted, received.
-- -> now, first slot. As `slots.rs` does it.
local function reserve(keys, args)
  local now = micros(args[1])
  local spacing, count = tonumber(args[2]), tonumber(args[5])
  local free, owed = string.match(redis.call('GET', keys[1]) or '0 0', '^(%d+) (%d+)$')
  free = math.min(tonumber(free), now + tonumber(args[3]))
  local start = math.max(free, now)
  owed = math.max(tonumber(owed) - math.floor((start - free) / spacing), 0) + tonumber(args[6])
  owed = math.min(owed, tonumber(args[4]))
  local paid = math.min(owed, count)
  local first = start + paid * spacing
  free, owed = first + count * spacing, owed - paid
  local life_ms = math.ceil((free - now + owed * spacing) / 1000) + 1000
  redis.call('SET', keys[1], text(free) .. ' ' .. text(owed), 'PX', text(life_ms))
  return {text(now), text(first)}
end

-- keys: head, timers; args: clock, node, ttl, nonce.
-- -> nothing, or epoch, position, last number, timers, token before or ''
local function acquire(keys, args)
  local now = clock(args[1])
  local held = redis.call('HMGET', keys[1], 'o', 'u', 'p', 'n', 't')
  if held[1] and held[1] ~= args[2] and tonumber(held[2]) > now then return {} end
  local epoch = text(redis.call('HINCRBY', keys[1], 'e', 1))
  local until_ms = text(now + tonumber(args[3]))
  redis.call('HSET', keys[1], 'o', args[2], 'u', until_ms, 't', epoch .. '-' .. args[4])
  return {epoch, held[3] or '0', held[4] or '0', redis.call('ZCARD', keys[2]), held[5] or ''}
end

-- keys: heads; args: clock, ttl, tokens. -> 1 or 0 of each
local function renew(keys, args)
  local until_ms, answers = text(clock(args[1]) + tonumber(args[2])), {}
  for i = 1, #keys do
    answers[i] = 0
    if redis.call('HGET', keys[i], 't') == args[i + 2] then
      redis.call('HSET', keys[i], 'u', until_ms)
      answers[i] = 1
    end
  end
  return answers
end

-- keys: head; args: token. -> 1 or 0
local function release(keys, args)
  if redis.call('HGET', keys[1], 't') ~= args[1] then return 0 end
  redis.call('HDEL', keys[1], 't', 'o', 'u')
  return 1
end

-- keys: head, timers of each shard. -> last number, position, timers of each
local function heads(keys, args)
  local answers = {}
  for i = 1, #keys, 2 do
    local head = redis.call('HMGET', keys[i], 'n', 'p')
    answers[#answers + 1] = head[1] or '0'
    answers[#answers + 1] = head[2] or '0'
    answers[#answers + 1] = redis.call('ZCARD', keys[i + 1])
  end
  return answers
end

-- keys: facts of lanes. -> id of the newest of each, trimmed or not
local function newest(keys, args)
  local answers = {}
  for i = 1, #keys do
    answers[i] = '0-0'
    local info = redis.pcall('XINFO', 'STREAM', keys[i])
    for field = 1, info.err and 0 or #info, 2 do
      if info[field] == 'last-generated-id' then answers[i] = info[field + 1] end
    end
  end
  return answers
end

-- keys: letters, index, then head and log of the shard it goes to, if they are here;
-- args: channel, instance, id, shard, pack. -> nothing if unknown, else the last number or ''
local function replay(keys, args)
  local place = redis.call('HGET', keys[2], args[3])
  if not place then return {} end
  local last = ''
  if keys[3] then
    last = add(keys[3], keys[4], 1, args[5])
    wake(args[1], {args[2], args[4] .. ':' .. last})
  end
  redis.call('XDEL', keys[1], place)
  redis.call('HDEL', keys[2], args[3])
  return {last}
end
