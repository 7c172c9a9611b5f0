-- The rest of `functions.lua`, in one library with it: which generation counts, and who has yet to say what it holds.

-- KEYS: a marker. Which generation counts ('' for none), whether more is lent, the time, and whom it waits for.
local function look(keys)
  local of_generation, open = generation(keys[1])
  local reply = { of_generation or '', open and 1 or 0, whole(now()) }
  if of_generation and not open then
    for _, member in ipairs(redis.call('HKEYS', keys[1])) do
      if string.sub(member, 1, 2) == 'm:' then
        reply[#reply + 1] = string.sub(member, 3)
      end
    end
  end
  return reply
end

-- KEYS: a marker. ARGV: the generation that is to end ('' for none), a name that no generation ever had. Begins one of
-- that name, in which nothing is lent until `admit` said who is to tell what it holds, and all have.
local function close(keys, args)
  local of_generation = generation(keys[1])
  if (of_generation or '') ~= args[1] then
    return of_generation or ''
  end
  redis.call('DEL', keys[1])
  redis.call('HSET', keys[1], 'generation', args[2], 'run', this_run(), 'open', '0')
  return args[2]
end

local function open_if_all_told(marker)
  if redis.call('HGET', marker, 'open') ~= '0' or not redis.call('HGET', marker, 'admitted') then
    return
  end
  for _, member in ipairs(redis.call('HKEYS', marker)) do
    if string.sub(member, 1, 2) == 'm:' then
      return
    end
  end
  redis.call('HSET', marker, 'open', '1')
end

-- KEYS: a marker. ARGV: generation, member ... : those that may hold something. Told again, it can only be fewer.
local function admit(keys, args)
  if generation(keys[1]) ~= args[1] then
    return 0
  end
  local members = {}
  for index = 2, #args do
    members['m:' .. args[index]] = true
  end
  if redis.call('HSETNX', keys[1], 'admitted', '1') == 1 then
    for member in pairs(members) do
      if redis.call('HEXISTS', keys[1], 'c:' .. string.sub(member, 3)) == 0 then
        redis.call('HSET', keys[1], member, '1')
      end
    end
  else
    for _, member in ipairs(redis.call('HKEYS', keys[1])) do
      if string.sub(member, 1, 2) == 'm:' and not members[member] then
        redis.call('HDEL', keys[1], member)
      end
    end
  end
  open_if_all_told(keys[1])
  return 1
end

-- KEYS: a marker. ARGV: generation, node. It has told all that it holds here.
local function confirm(keys, args)
  local of_generation, open = generation(keys[1])
  if of_generation ~= args[1] then
    return 0
  end
  if not open then
    redis.call('HDEL', keys[1], 'm:' .. args[2])
    redis.call('HSET', keys[1], 'c:' .. args[2], '1')
    open_if_all_told(keys[1])
  end
  return 1
end

redis.register_function('headgate_shares_look', look)
redis.register_function('headgate_shares_close', close)
redis.register_function('headgate_shares_admit', admit)
redis.register_function('headgate_shares_confirm', confirm)
