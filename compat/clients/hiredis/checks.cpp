// hiredis, from Debian: its blocking interface, pipelines, and its asynchronous interface with poll.

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Words = std::vector<std::string>;
using SteadyClock = std::chrono::steady_clock;

const std::string kPassword = "sesame";
constexpr int kKillAt = 200;  // writes
constexpr int kWritesAfterKill = 300;
constexpr auto kGiveUp = std::chrono::seconds(60);
constexpr timeval kTimeout{30, 0};

std::vector<int> ports;

struct FreeReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

/// A reply as text: errors behind '-', nil as "nil", elements in brackets.
std::string Text(const redisReply* reply) {
  if (reply == nullptr) throw std::runtime_error("no reply");
  switch (reply->type) {
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply->str, reply->len);
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply->integer);
    case REDIS_REPLY_NIL:
      return "nil";
    case REDIS_REPLY_ARRAY: {
      std::string text = "[";
      for (size_t i = 0; i < reply->elements; ++i) text += (i == 0 ? "" : " ") + Text(reply->element[i]);
      return text + "]";
    }
    default:
      return {reply->str, reply->len};
  }
}

void Equal(const std::string& got, const std::string& wanted) {
  if (got != wanted) throw std::runtime_error("got " + got.substr(0, 200) + ", not " + wanted.substr(0, 200));
}
void BeginsWith(const std::string& got, const std::string& wanted) {
  Equal(got.substr(0, wanted.size()), wanted);
}

class Connection {
 public:
  explicit Connection(int port, const std::string& password = kPassword)
      : context_(redisConnectWithTimeout("127.0.0.1", port, kTimeout), redisFree) {
    if (!context_ || context_->err != 0) throw std::runtime_error("cannot connect");
    redisSetTimeout(context_.get(), kTimeout);
    if (!password.empty()) Equal(Run({"AUTH", password}), "OK");
  }

  void Append(const Words& words) {
    std::vector<const char*> pointers;
    std::vector<size_t> sizes;
    for (const std::string& word : words) {
      pointers.push_back(word.data());
      sizes.push_back(word.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), pointers.data(), sizes.data());
  }
  std::string Read() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) throw std::runtime_error(context_->errstr);
    return Text(Reply(static_cast<redisReply*>(reply)).get());
  }
  std::string Run(const Words& words) {
    Append(words);
    return Read();
  }
  /// Words without blanks in them.
  std::string operator()(const std::string& line) {
    std::istringstream in(line);
    Words words;
    for (std::string word; in >> word;) words.push_back(word);
    return Run(words);
  }

 private:
  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

void Nodes(const std::string& action) {
  const std::string command = std::string(std::getenv("COMPAT_CLUSTER")) + " " + action;
  if (std::system(command.c_str()) != 0) throw std::runtime_error(action + " failed");
}

class Tap {
 public:
  void Check(const std::string& name, const std::function<void()>& body) {
    ++count_;
    try {
      body();
      std::cout << "ok " << count_ << " - " << name << std::endl;
    } catch (const std::exception& error) {
      failed_ = true;
      std::cout << "# " << error.what() << "\nnot ok " << count_ << " - " << name << std::endl;
    }
  }
  void Skip(const std::string& name, const std::string& why) {
    std::cout << "ok " << ++count_ << " - " << name << " # SKIP " << why << std::endl;
  }
  int Finish() const {
    std::cout << "1.." << count_ << std::endl;
    return failed_ ? 1 : 0;
  }

 private:
  int count_ = 0;
  bool failed_ = false;
};

void Auth() {
  Connection nobody(ports[0], "");
  BeginsWith(nobody("GET k"), "-NOAUTH");
  BeginsWith(nobody("AUTH wrong"), "-WRONGPASS");
  Equal(nobody("AUTH default " + kPassword), "OK");
  Equal(nobody("GET none"), "nil");
}

void Hello() {
  Connection c(ports[0], "");
  BeginsWith(c("HELLO 2 AUTH default " + kPassword + " SETNAME tester"), "[server redis version 7.");
  Equal(c("CLIENT GETNAME"), "tester");
  BeginsWith(c("HELLO 4"), "-NOPROTO");
}

void Select(Connection& c) {
  Equal(c("SELECT 3"), "OK");
  Equal(c("SET where three"), "OK");
  Equal(c("SELECT 0"), "OK");
  Equal(c("GET where"), "nil");
  BeginsWith(c("SELECT 16"), "-ERR DB index is out of range");
}

void Pipeline(Connection& c) {
  constexpr int kDepth = 5000;
  for (int i = 0; i < kDepth; ++i) {
    c.Append({"SET", "pipe:" + std::to_string(i), std::to_string(i)});
    c.Append({"INCR", "pipe:count"});
  }
  for (int i = 0; i < kDepth; ++i) {
    Equal(c.Read(), "OK");
    Equal(c.Read(), std::to_string(i + 1));
  }
  Equal(c("MGET pipe:0 pipe:4999 pipe:5000"), "[0 4999 nil]");
}

void Strings(Connection& c) {
  Equal(c("SET s hello EX 100 NX"), "OK");
  Equal(c("SET s again NX"), "nil");
  Equal(c("APPEND s !"), "6");
  Equal(c("GETRANGE s 0 3"), "hell");
  Equal(c("MSET s:1 1 s:2 2"), "OK");
  Equal(c("INCRBY s:1 41"), "42");
  Equal(c("INCRBYFLOAT s:2 0.5"), "2.5");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  Equal(c.Run({"SET", all, all}), "OK");
  Equal(c.Run({"GET", all}), all);
}

void Bits(Connection& c) {
  for (const char* at : {"1", "9", "100"}) Equal(c(std::string("SETBIT bits ") + at + " 1"), "0");
  Equal(c("BITCOUNT bits"), "3");
  Equal(c("BITFIELD bits INCRBY u8 #2 5 GET u8 #2"), "[5 5]");
}

void Hashes(Connection& c) {
  Equal(c("HSET hash a 1 b 2 c 3"), "3");
  Equal(c("HINCRBY hash a 9"), "10");
  Equal(c("HDEL hash b"), "1");
  Equal(c("HMGET hash a b c"), "[10 nil 3]");
}

void Lists(Connection& c) {
  Equal(c("RPUSH list a b c d"), "4");
  Equal(c("LPOP list"), "a");
  Equal(c("LINSERT list BEFORE c x"), "4");
  Equal(c("LRANGE list 0 -1"), "[b x c d]");
}

void Sets(Connection& c) {
  Equal(c("SADD set:a 1 2 3"), "3");
  Equal(c("SADD set:b 3 4"), "2");
  Equal(c("SINTER set:a set:b"), "[3]");
  Equal(c("SUNIONSTORE set:c set:a set:b"), "4");
}

void SortedSets(Connection& c) {
  Equal(c("ZADD zset 1 a 2 b 3 c"), "3");
  Equal(c("ZINCRBY zset 20.5 a"), "21.5");
  Equal(c("ZRANGE zset 0 -1 WITHSCORES"), "[b 2 c 3 a 21.5]");
  Equal(c("ZPOPMIN zset"), "[b 2]");
}

void HyperLogLog(Connection& c) {
  Equal(c("PFADD hll:a a b c"), "1");
  Equal(c("PFADD hll:b c d"), "1");
  Equal(c("PFMERGE hll hll:a hll:b"), "OK");
  Equal(c("PFCOUNT hll"), "4");
}

void Geo(Connection& c) {
  Equal(c("GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"), "2");
  Equal(c("GEODIST geo Palermo Catania km"), "166.2742");
  Equal(c("GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 100 km"), "[Catania]");
}

void Scan(Connection& c) {
  Words mset = {"MSET"};
  for (int i = 0; i < 500; ++i) mset.insert(mset.end(), {"scan:" + std::to_string(i), "v"});
  Equal(c.Run(mset), "OK");
  std::set<std::string> found;
  std::string cursor = "0";
  do {
    std::string part = c.Run({"SCAN", cursor, "MATCH", "scan:*", "COUNT", "50"});
    for (char& letter : part) {
      if (letter == '[' || letter == ']') letter = ' ';
    }
    std::istringstream in(part);
    in >> cursor;
    for (std::string key; in >> key;) found.insert(key);
  } while (cursor != "0");
  Equal(std::to_string(found.size()), "500");
  Equal(c("SSCAN set:b 0").substr(0, 3), "[0 ");
}

void Expiry(Connection& c) {
  Equal(c("SET short v PX 150"), "OK");
  const auto deadline = SteadyClock::now() + kGiveUp;
  while (c("GET short") != "nil" && SteadyClock::now() < deadline) {
  }
  Equal(c("TTL short"), "-2");
  Equal(c("SET long v EX 1000"), "OK");
  Equal(c("PERSIST long"), "1");
  Equal(c("TTL long"), "-1");
}

void Errors(Connection& c) {
  BeginsWith(c("LPUSH s x"), "-WRONGTYPE");
  BeginsWith(c("INCR s"), "-ERR value is not an integer");
  BeginsWith(c("NOSUCH"), "-ERR unknown command");
  BeginsWith(c("GET"), "-ERR wrong number of arguments");
  Equal(c("GET s"), "hello!");
}

void Large(Connection& c) {
  const std::string value(10 << 20, 'x');
  Equal(c.Run({"SET", "large", value}), "OK");
  Equal(Connection{ports[1]}.Run({"GET", "large"}) == value ? "same" : "other", "same");
  Equal(c("DEL large"), "1");
}

void Blocking(Connection& c) {
  Equal(c("BZPOPMIN none 1"), "nil");
  std::thread other([] { Connection{ports[1]}("ZADD waited 7 m"); });
  const std::string popped = c("BZPOPMIN none waited 20");
  other.join();
  Equal(popped, "[waited m 7]");
}

void BlockingLists(Connection& c) {
  std::thread other([] { Connection{ports[1]}("RPUSH waited:list x"); });
  const std::string popped = c("BLPOP none waited:list 20");
  other.join();
  Equal(popped, "[waited:list x]");
}

// hiredis asks its owner when to call it; here the owner is poll().
struct Interest {
  bool read = false, write = false;
};

void Watch(redisAsyncContext* context, Interest* interest) {
  context->ev.data = interest;
  context->ev.addRead = [](void* data) { static_cast<Interest*>(data)->read = true; };
  context->ev.delRead = [](void* data) { static_cast<Interest*>(data)->read = false; };
  context->ev.addWrite = [](void* data) { static_cast<Interest*>(data)->write = true; };
  context->ev.delWrite = [](void* data) { static_cast<Interest*>(data)->write = false; };
}

void Async() {
  struct State {
    int answered = 0;
    bool in_order = true;
  } state;
  Interest interest;
  redisAsyncContext* context = redisAsyncConnect("127.0.0.1", ports[2]);
  if (context == nullptr || context->err != 0) throw std::runtime_error("cannot connect");
  Watch(context, &interest);
  constexpr int kCommands = 1000;
  redisAsyncCommand(context, nullptr, nullptr, "AUTH %s", kPassword.c_str());
  for (int i = 0; i < kCommands; ++i) {
    redisAsyncCommand(
        context,
        [](redisAsyncContext*, void* reply, void* data) {
          auto* facts = static_cast<State*>(data);
          ++facts->answered;
          if (reply == nullptr || static_cast<redisReply*>(reply)->integer != facts->answered)
            facts->in_order = false;
        },
        &state, "INCR async");
  }
  const auto deadline = SteadyClock::now() + kGiveUp;
  while (state.answered < kCommands && SteadyClock::now() < deadline) {
    const int events = (interest.read ? POLLIN : 0) | (interest.write ? POLLOUT : 0);
    pollfd fd{context->c.fd, static_cast<int16_t>(events), 0};
    ::poll(&fd, 1, 100);
    if ((fd.revents & POLLOUT) != 0) redisAsyncHandleWrite(context);
    if ((fd.revents & (POLLIN | POLLERR | POLLHUP)) != 0) redisAsyncHandleRead(context);
  }
  redisAsyncFree(context);
  Equal(std::to_string(state.answered) + (state.in_order ? " in order" : ""), "1000 in order");
}

// Rising values to 40 keys through a list of nodes, the first of which is killed meanwhile.
void GoOn() {
  std::map<std::string, int> acknowledged;
  std::map<std::string, std::set<int>> unknown;
  int counted = 0, unsure = 0;
  size_t at = 0;
  bool killed = false;
  std::unique_ptr<Connection> c;
  const auto deadline = SteadyClock::now() + kGiveUp;
  for (int value = 0; value < kKillAt + kWritesAfterKill;) {
    if (SteadyClock::now() > deadline) throw std::runtime_error("does not go on");
    if (value == kKillAt && !killed) {
      Nodes("kill 0");
      killed = true;
    }
    const std::string key = "go:" + std::to_string(value % 40);
    try {
      if (!c) c = std::make_unique<Connection>(ports[at]);
      unknown[key].insert(value);
      Equal(c->Run({"SET", key, std::to_string(value)}), "OK");
      acknowledged[key] = value;
      unknown[key].clear();
      ++value;
      ++unsure;
      if ((*c)("INCR go:count").starts_with("-")) throw std::runtime_error("not counted");
      --unsure;
      ++counted;
      (*c)("GET " + key);
    } catch (const std::exception&) {
      c.reset();
      at = (at + 1) % ports.size();
    }
  }
  Connection looking(ports[1]);
  for (const auto& [key, last] : acknowledged) {
    const std::string shown = looking("GET " + key);
    if (!unknown[key].contains(std::atoi(shown.c_str()))) Equal(shown, std::to_string(last));
  }
  const int shown = std::atoi(looking("GET go:count").c_str());
  if (shown < counted || shown > counted + unsure) Equal(std::to_string(shown), std::to_string(counted));
  Nodes("start 0");
  Nodes("wait");
}

void Reconnect() {
  redisContext* context = redisConnectWithTimeout("127.0.0.1", ports[1], kTimeout);
  const std::unique_ptr<redisContext, decltype(&redisFree)> owner(context, redisFree);
  Nodes("kill 1");
  Reply lost(static_cast<redisReply*>(redisCommand(context, "PING")));
  Equal(lost ? "an answer" : "no answer", "no answer");
  Nodes("start 1");
  Nodes("wait");
  Equal(redisReconnect(context) == REDIS_OK ? "connected" : context->errstr, "connected");
  const std::string auth = "AUTH " + kPassword;
  Equal(Text(Reply(static_cast<redisReply*>(redisCommand(context, auth.c_str()))).get()), "OK");
  Equal(Text(Reply(static_cast<redisReply*>(redisCommand(context, "GET s"))).get()), "hello!");
}

}  // namespace

int main() {
  std::istringstream in(std::getenv("COMPAT_PORTS"));
  for (int port; in >> port;) ports.push_back(port);
  std::cout << "# hiredis " << HIREDIS_MAJOR << "." << HIREDIS_MINOR << "." << HIREDIS_PATCH << std::endl;
  Tap tap;
  Connection c(ports[0]);
  tap.Check("connect", [&] { Equal(c("PING"), "PONG"); });
  tap.Check("auth", Auth);
  tap.Check("hello, setname", Hello);
  const std::vector<std::pair<const char*, void (*)(Connection&)>> checks = {
      {"select", Select},           {"pipeline", Pipeline}, {"strings", Strings},  {"bits", Bits},
      {"hashes", Hashes},           {"lists", Lists},       {"sets", Sets},        {"zsets", SortedSets},
      {"hyperloglog", HyperLogLog}, {"geo", Geo},           {"scan", Scan},        {"expiry", Expiry},
      {"errors", Errors},           {"large", Large},       {"blocking", Blocking}};
  for (const auto& [name, body] : checks) {
    tap.Check(name, [&, run = body] { run(c); });
  }
  if (c("COMMAND INFO BLPOP") == "[nil]") {
    tap.Skip("blocking lists", "the server has no BLPOP yet");
  } else {
    tap.Check("blocking lists", [&] { BlockingLists(c); });
  }
  tap.Check("asynchronous", Async);
  tap.Check("reconnect", GoOn);
  tap.Check("reconnect by itself", Reconnect);
  tap.Check("nodes agree", [] { Nodes("agree"); });
  return tap.Finish();
}
