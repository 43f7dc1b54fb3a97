# frozen_string_literal: true

# redis-rb, from Debian: Redis through any node, and with cluster: its own routing.
require 'redis'

PORTS = ENV.fetch('COMPAT_PORTS').split.map(&:to_i)
PASSWORD = 'sesame'
KILL_AT = 200 # writes
WRITES_AFTER_KILL = 300
GIVE_UP_SECONDS = 60

$verdicts = []
Redis.silence_deprecations = true

def check(name, skip: nil)
  verdict = 'ok'
  begin
    yield unless skip
  rescue StandardError => e
    verdict = 'not ok'
    puts "# #{e.class}: #{e.message}".gsub(/\s+/, ' ')[0, 600]
  end
  $verdicts << verdict
  puts "#{verdict} #{$verdicts.size} - #{name}#{" # SKIP #{skip}" if skip}"
  $stdout.flush
end

def equal(got, wanted)
  raise "got #{got.inspect}, not #{wanted.inspect}"[0, 400] unless got == wanted
end

def refused(words)
  yield
rescue Redis::BaseError => e
  raise "got #{e.message}, not #{words}" unless e.message.include?(words)
else
  raise "no error, not #{words}"
end

def nodes(*words)
  system(ENV.fetch('COMPAT_CLUSTER'), *words.map(&:to_s), exception: true)
end

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def plain(port = PORTS[0], **more)
  Redis.new(port: port, password: PASSWORD, timeout: 30, **more)
end

def clustered
  Redis.new(cluster: PORTS.map { |port| { host: '127.0.0.1', port: port } }, password: PASSWORD, timeout: 30)
end

def auth
  refused('NOAUTH') { Redis.new(port: PORTS[0]).get('k') }
  refused('WRONGPASS') { Redis.new(port: PORTS[0], password: 'wrong').get('k') }
  equal(Redis.new(port: PORTS[0], username: 'default', password: PASSWORD).ping, 'PONG')
end

def select(c)
  other = plain(db: 3)
  other.set('where', 'three')
  c.del('where')
  equal([c.get('where'), other.get('where')], [nil, 'three'])
end

def setname
  named = plain(id: 'tester')
  named.call(['CLIENT', 'SETNAME', 'tester'])
  equal(named.call(%w[CLIENT GETNAME]), 'tester')
  equal(named.client(:list).any? { |entry| entry['name'] == 'tester' }, true)
end

def pipeline(c)
  replies = c.pipelined do |pipe|
    1000.times do |i|
      pipe.set("pipe:#{i}", i)
      pipe.incr('pipe:count')
    end
  end
  equal(replies.each_slice(2).map(&:last), (1..1000).to_a)
  equal(c.mget((0...1000).map { |i| "pipe:#{i}" }), (0...1000).map(&:to_s))
  refused('WRONGTYPE') { c.pipelined { |pipe| pipe.lpush('pipe:count', 'no list') } }
end

def strings(c)
  equal(c.set('{s}a', 'hello', ex: 100, nx: true), true)
  equal(c.set('{s}a', 'again', nx: true), false)
  equal([c.append('{s}a', ' world'), c.getrange('{s}a', 0, 4)], [11, 'hello'])
  equal(c.mset('{s}b', 1, '{s}c', 2), 'OK')
  equal(c.mget('{s}b', '{s}c', '{s}none'), ['1', '2', nil])
  equal([c.incrby('{s}b', 41), c.incrbyfloat('{s}c', 0.5), c.getdel('{s}b')], [42, 2.5, '42'])
  all = (0..255).to_a.pack('C*')
  c.set("binary\r\n\0", all)
  equal(c.get("binary\r\n\0").b, all)
end

def bits(c)
  equal([1, 9, 100].map { |at| c.setbit('bits', at, 1) }, [0, 0, 0])
  equal([c.bitcount('bits'), c.bitpos('bits', 1), c.getbit('bits', 100)], [3, 1, 1])
end

def hashes(c)
  fields = (0...100).to_h { |i| ["f#{i}", i.to_s] }
  equal(c.hset('hash', fields), 100)
  equal(c.hgetall('hash'), fields)
  equal([c.hincrby('hash', 'f1', 9), c.hdel('hash', 'f2'), c.hlen('hash')], [10, 1, 99])
end

def lists(c)
  equal(c.rpush('list', (0...10).to_a), 10)
  equal([c.lpop('list'), c.rpop('list', 2)], ['0', %w[9 8]])
  equal([c.linsert('list', :before, '3', 'x'), c.lrem('list', 1, '5')], [8, 1])
  equal(c.lrange('list', 0, -1), %w[1 2 x 3 4 6 7])
end

def sets(c)
  equal([c.sadd('{x}a', [1, 2, 3]), c.sadd('{x}b', [2, 3, 4])], [3, 3])
  equal(c.sinter('{x}a', '{x}b').sort, %w[2 3])
  equal([c.sdiffstore('{x}c', '{x}a', '{x}b'), c.smembers('{x}c')], [1, ['1']])
end

def zsets(c)
  equal(c.zadd('zset', [[1, 'a'], [2, 'b'], [3, 'c']]), 3)
  equal([c.zincrby('zset', 20.5, 'a'), c.zrank('zset', 'a')], [21.5, 2])
  equal(c.zrange('zset', 0, 0, with_scores: true), [['b', 2.0]])
  equal([c.zpopmin('zset'), c.zscore('zset', 'c')], [['b', 2.0], 3.0])
end

def hyperloglog(c)
  c.pfadd('{h}a', (0...1000).to_a)
  c.pfadd('{h}b', (500...1500).to_a)
  c.pfmerge('{h}c', '{h}a', '{h}b')
  equal((c.pfcount('{h}c') - 1500).abs < 60, true)
end

def geo(c)
  equal(c.geoadd('geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2)
  equal(c.geodist('geo', 'Palermo', 'Catania', 'km'), '166.2742')
  equal(c.georadius('geo', 15, 37, 100, 'km'), ['Catania'])
end

def scan(c)
  keys = (0...500).map { |i| "scan:#{i}" }
  c.mapped_mset(keys.to_h { |key| [key, 'v'] })
  equal(c.scan_each(match: 'scan:*', count: 50).to_a.sort, keys.sort)
  equal(c.hscan_each('hash', count: 7).to_h, c.hgetall('hash'))
  equal(c.sscan_each('{x}b').to_a.sort, %w[2 3 4])
  equal(c.zscan_each('zset').to_a.size, 2)
end

def expiry(c)
  c.set('short', 'v', px: 150)
  deadline = now + 10
  sleep 0.02 while c.get('short') && now < deadline
  equal([c.get('short'), c.ttl('short')], [nil, -2])
  c.set('long', 'v')
  equal([c.expire('long', 1000), c.ttl('long') > 990, c.persist('long'), c.ttl('long')], [true, true, true, -1])
end

def errors(c)
  c.set('string', 'v')
  refused('WRONGTYPE') { c.lpush('string', 'x') }
  refused('not an integer') { c.incr('string') }
  equal(c.get('string'), 'v')
end

def large(c)
  value = 'x1y2z' * (2 << 20)
  equal(c.set('large', value), 'OK')
  equal(c.get('large') == value, true)
  equal(c.del('large'), 1)
end

def after_a_while
  Thread.new do
    sleep 0.3
    yield plain(PORTS[1])
  end
end

def blocking(c)
  equal(c.bzpopmin('none', timeout: 1), nil)
  after_a_while { |other| other.zadd('{w}zset', 7, 'm') }
  equal(c.bzpopmin('none', '{w}zset', timeout: 20), ['{w}zset', 'm', 7.0])
end

def blocking_lists(c)
  after_a_while { |other| other.rpush('{w}list', 'x') }
  equal(c.blpop('none', '{w}list', timeout: 20), ['{w}list', 'x'])
end

# Writes rising values while a node is killed. `client_of` gives the client to use, told whether the last broke. A client
# that repeats commands by itself may count twice what was counted already when the connection broke.
def go_on(name, client_of, victim)
  acknowledged = {}
  unknown = Hash.new { |hash, key| hash[key] = [] }
  counted = value = 0
  killed = false
  deadline = now + GIVE_UP_SECONDS
  while value < KILL_AT + WRITES_AFTER_KILL
    raise 'does not go on' if now > deadline

    if value == KILL_AT && !killed
      nodes('kill', victim)
      killed = true
    end
    key = "#{name}:#{value % 40}"
    begin
      client = client_of.call(false)
      client.set(key, value)
      acknowledged[key] = value
      unknown.delete(key)
      value += 1
      client.incr("#{name}:count")
      counted += 1
      client.get(key)
    rescue Redis::BaseError
      unknown[key] << value
      client_of.call(true)
    end
  end
  looking = plain(PORTS[(victim + 1) % PORTS.size])
  acknowledged.each do |kept, last|
    shown = looking.get(kept).to_i
    equal(shown == last || unknown[kept].include?(shown), true)
  end
  equal(looking.get("#{name}:count").to_i >= counted, true)
end

def reconnect
  at = 0
  c = plain(reconnect_attempts: 0)
  client_of = lambda do |broken|
    if broken
      at = (at + 1) % PORTS.size
      c = plain(PORTS[at], reconnect_attempts: 0)
    end
    c
  end
  go_on('reconnect', client_of, 0)
  nodes('start', 0)
  nodes('wait')
end

def reconnect_by_itself
  c = plain(PORTS[1])
  c.set('by-itself', 'v')
  nodes('kill', 1)
  nodes('start', 1)
  nodes('wait')
  equal(c.get('by-itself'), 'v')
end

def cluster_reconnect
  c = clustered
  go_on('cluster-reconnect', ->(broken) { broken ? c = clustered : c }, 2)
  nodes('start', 2)
  nodes('wait')
end

def forwarded
  PORTS.sum { |port| plain(port).info('dynamo')['requests_forwarded'].to_i }
end

# Every command goes straight to its slot's coordinator: no node forwards any.
def routing
  c = clustered
  before = forwarded
  300.times { |i| equal(c.set("route:#{i}", i), 'OK') }
  equal((0...300).map { |i| c.get("route:#{i}") }, (0...300).map(&:to_s))
  equal(forwarded - before, 0)
end

puts "# redis-rb #{Redis::VERSION}, ruby #{RUBY_VERSION}"
c = plain
types = %i[strings bits hashes lists sets zsets hyperloglog geo]
others = %i[expiry errors large]
check('connect') { equal(c.ping, 'PONG') }
check('auth') { auth }
check('select') { select(c) }
check('setname') { setname }
([:pipeline] + types + [:scan] + others + [:blocking]).each { |name| check(name) { send(name, c) } }
blpop = c.call(%w[COMMAND INFO BLPOP]).first
check('blocking lists', skip: blpop ? nil : 'the server has no BLPOP yet') { blocking_lists(c) }
check('reconnect') { reconnect }
check('reconnect by itself') { reconnect_by_itself }
check('cluster connect') { equal(clustered.cluster(:info)['cluster_state'], 'ok') }
check('cluster routing') { routing }
check('flush') { c.flushall }
cluster = clustered
(types + others).each { |name| check("cluster #{name}") { send(name, cluster) } }
check('cluster reconnect') { cluster_reconnect }
check('nodes agree') { nodes('agree') }
puts "1..#{$verdicts.size}"
exit($verdicts.include?('not ok') ? 1 : 0)
