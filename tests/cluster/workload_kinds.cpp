#include "cluster/workload_kinds.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace orrery::cluster {
namespace {

std::string Number(const std::string& prefix, const char* kind, uint64_t number) {
  return prefix + kind + ":" + std::to_string(number);
}

template <class Map>
std::vector<std::string> KeysOfMap(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, known] : map) keys.push_back(key);
  return keys;
}

struct Versioned {
  std::string context;
  std::vector<std::string> values;
};

// Of a DGET's reply.
Versioned ParseDget(const std::string& reply) {
  const size_t bar = reply.find('|');
  if (bar == std::string::npos) return {reply, {}};
  return {reply.substr(0, bar), SplitReply(reply.substr(bar + 1))};
}

// Reads by turns through all nodes: which one must not matter.
class Reader {
 public:
  explicit Reader(const Processes& nodes) : nodes_(nodes) {}
  std::string Run(const std::vector<std::string>& words) {
    const std::set<size_t> running = nodes_.running();
    const auto node = std::next(running.begin(), static_cast<std::ptrdiff_t>(next_++ % running.size()));
    return nodes_.ClientOf(*node).Run(words);
  }

 private:
  const Processes& nodes_;
  size_t next_ = 0;
};

}  // namespace

// ---- Registers

std::string Registers::KeyOf(size_t client, int64_t value) const {
  return Number(prefix_, "register", client * kKeysOfClient + static_cast<uint64_t>(value % kKeysOfClient));
}

void Registers::DoStep(size_t client, Client* connection, std::mt19937_64*) {
  const int64_t value = values_[client]++;
  const std::string key = KeyOf(client, value);
  const std::string reply = connection->Run({"SET", key, std::to_string(value)});
  const std::scoped_lock lock(mutex_);
  Written& written = keys_[key];
  switch (Judge(reply)) {
    case Outcome::kAcknowledged:
      written.acknowledged = value;
      break;
    case Outcome::kUnknown:
      written.unknown.insert(value);
      break;
    case Outcome::kRefused:
      break;
  }
}

void Registers::DoVerify(const Processes& nodes) {
  Reader reader(nodes);
  for (const auto& [key, written] : keys_) {
    if (written.acknowledged < 0) continue;
    const std::vector<std::string> shown = ParseDget(reader.Run({"DGET", key})).values;
    const bool kept = std::any_of(shown.begin(), shown.end(), [&known = written](const std::string& text) {
      const int64_t value = std::atoll(text.c_str());
      return value == known.acknowledged || known.unknown.contains(value);
    });
    if (!kept) Complain("LOST " + key + " = " + std::to_string(written.acknowledged));
  }
}

std::vector<std::string> Registers::KeyList() const {
  return KeysOfMap(keys_);
}

// ---- Versions

void Versions::DoStep(size_t client, Client* connection, std::mt19937_64* random) {
  const std::string key = Number(prefix_, "versions", (*random)() % kKeys);
  const std::string got = connection->Run({"DGET", key});
  if (got.starts_with("-")) return;
  const Versioned seen = ParseDget(got);
  if (!seen.values.empty() && (*random)() % 5 == 0) {
    const std::string reply = connection->Run({"DDEL", key, seen.context});
    const std::scoped_lock lock(mutex_);
    Note(&keys_[key], reply, seen.values, "");
    return;
  }
  std::string value;
  {
    const std::scoped_lock lock(mutex_);
    value = "c" + std::to_string(client) + "." + std::to_string(next_++);
  }
  const std::string reply = connection->Run({"DPUT", key, seen.context, value});
  const std::scoped_lock lock(mutex_);
  Note(&keys_[key], reply, seen.values, value);
}

void Versions::Note(Known* known, const std::string& reply, const std::vector<std::string>& seen,
                    const std::string& value) {
  const Outcome outcome = Judge(reply);
  if (outcome == Outcome::kRefused) return;
  const bool sure = outcome == Outcome::kAcknowledged;
  (sure ? known->gone : known->maybe_gone).insert(seen.begin(), seen.end());
  if (!value.empty()) (sure ? known->acknowledged : known->maybe_written).insert(value);
}

void Versions::DoVerify(const Processes& nodes) {
  Reader reader(nodes);
  for (const auto& [key, known] : keys_) {
    const std::vector<std::string> values = ParseDget(reader.Run({"DGET", key})).values;
    const std::set<std::string> shown(values.begin(), values.end());
    for (const std::string& value : known.acknowledged) {
      if (!shown.contains(value) && !known.gone.contains(value) && !known.maybe_gone.contains(value))
        Complain("LOST " + value + " of " + key);
    }
    for (const std::string& value : shown) {
      if (known.gone.contains(value)) Complain("RETURNED " + value + " of " + key);
      if (!known.acknowledged.contains(value) && !known.maybe_written.contains(value))
        Complain("NEVER WRITTEN " + value + " of " + key);
    }
  }
}

std::vector<std::string> Versions::KeyList() const {
  return KeysOfMap(keys_);
}

// ---- Carts

void Carts::DoStep(size_t client, Client* connection, std::mt19937_64* random) {
  std::string key, element;
  {
    const std::scoped_lock lock(mutex_);
    key = Number(prefix_, "cart", static_cast<uint64_t>(cart_) * kKeys + (*random)() % kKeys);
    element = "c" + std::to_string(client) + "." + std::to_string(next_++);
  }
  const std::string got = connection->Run({"DGET", key});
  if (got.starts_with("-")) return;
  const Versioned seen = ParseDget(got);
  std::set<std::string> joined = {element};
  for (const std::string& sibling : seen.values) {
    for (std::string& part : SplitReply(sibling, ' ')) joined.insert(std::move(part));
  }
  std::string value;
  for (const std::string& part : joined) value += (value.empty() ? "" : " ") + part;
  const std::string reply = connection->Run({"DPUT", key, seen.context, value});
  const std::scoped_lock lock(mutex_);
  if (Judge(reply) == Outcome::kAcknowledged) acknowledged_[key].insert(element);
  if (joined.size() > kElementsMax) ++cart_;
}

void Carts::DoVerify(const Processes& nodes) {
  Reader reader(nodes);
  for (const auto& [key, elements] : acknowledged_) {
    std::set<std::string> shown;
    for (const std::string& sibling : ParseDget(reader.Run({"DGET", key})).values) {
      for (std::string& part : SplitReply(sibling, ' ')) shown.insert(std::move(part));
    }
    for (const std::string& element : elements) {
      if (!shown.contains(element)) Complain("LOST " + element + " of " + key);
    }
  }
}

std::vector<std::string> Carts::KeyList() const {
  return KeysOfMap(acknowledged_);
}

// ---- Counters

void Counters::DoStep(size_t, Client* connection, std::mt19937_64* random) {
  const std::string key = Number(prefix_, "counter", (*random)() % 3);
  const std::vector<std::string> commands[] = {
      {"INCR", key + "s"}, {"HINCRBY", key + "h", "n", "1"}, {"ZINCRBY", key + "z", "1", "n"}};
  const std::vector<std::string>& command = commands[(*random)() % 3];
  const std::string reply = connection->Run(command);
  const std::scoped_lock lock(mutex_);
  Count& count = keys_[command[1]];
  switch (Judge(reply)) {
    case Outcome::kAcknowledged:
      ++count.acknowledged;
      break;
    case Outcome::kUnknown:
      ++count.unknown;
      break;
    case Outcome::kRefused:
      break;
  }
}

void Counters::DoVerify(const Processes& nodes) {
  for (const auto& [key, count] : keys_) {
    std::vector<std::string> read = {"GET", key};
    if (key.ends_with("h")) read = {"HGET", key, "n"};
    if (key.ends_with("z")) read = {"ZSCORE", key, "n"};
    for (const size_t node : nodes.running()) {
      const int64_t shown = std::atoll(nodes.ClientOf(node).Run(read).c_str());
      if (shown >= count.acknowledged && shown <= count.acknowledged + count.unknown) continue;
      Complain((shown < count.acknowledged ? "LOST counts of " : "COUNTED TWICE in ") + key + " on node " +
               std::to_string(node) + ": " + std::to_string(shown) + " of " +
               std::to_string(count.acknowledged) + " + " + std::to_string(count.unknown));
    }
  }
}

std::vector<std::string> Counters::KeyList() const {
  return KeysOfMap(keys_);
}

// ---- Members

const Members::Kind Members::kSet = {"set", {"SADD", "KEY", "MEMBER"}, "SREM", {"SMEMBERS", "KEY"}};
const Members::Kind Members::kHash = {"hash", {"HSET", "KEY", "MEMBER", "v"}, "HDEL", {"HKEYS", "KEY"}};
const Members::Kind Members::kSortedSet = {
    "zset", {"ZADD", "KEY", "1", "MEMBER"}, "ZREM", {"ZRANGE", "KEY", "0", "-1"}};

namespace {

std::vector<std::string> FillIn(std::vector<std::string> words, const std::string& key,
                                const std::string& member) {
  for (std::string& word : words) {
    if (word == "KEY") word = key;
    if (word == "MEMBER") word = member;
  }
  return words;
}

}  // namespace

void Members::DoStep(size_t, Client* connection, std::mt19937_64* random) {
  const std::string key = Number(prefix_, kind_.name, (*random)() % kKeys);
  std::string victim;
  if ((*random)() % 3 == 0) {
    const std::scoped_lock lock(mutex_);
    std::set<std::string>& present = keys_[key].present;
    if (!present.empty()) {
      const auto at = std::next(present.begin(), static_cast<std::ptrdiff_t>((*random)() % present.size()));
      victim = *at;
      present.erase(at);  // no other client takes the same one
    }
  }
  if (victim.empty()) {
    Add(key, connection);
  } else {
    Remove(key, victim, connection);
  }
}

void Members::Add(const std::string& key, Client* connection) {
  std::string member;
  {
    const std::scoped_lock lock(mutex_);
    member = "m" + std::to_string(next_++);
  }
  const std::string reply = connection->Run(FillIn(kind_.add, key, member));
  const std::scoped_lock lock(mutex_);
  const Outcome outcome = Judge(reply);
  if (outcome == Outcome::kAcknowledged) keys_[key].present.insert(member);
  if (outcome == Outcome::kUnknown) keys_[key].maybe_present.insert(member);
}

void Members::Remove(const std::string& key, const std::string& member, Client* connection) {
  const std::string reply = connection->Run({kind_.remove, key, member});
  const std::scoped_lock lock(mutex_);
  Known& known = keys_[key];
  const Outcome outcome = Judge(reply);
  if (outcome == Outcome::kUnknown) {
    known.maybe_gone.insert(member);
  } else if (outcome == Outcome::kAcknowledged && reply == "1") {
    known.gone.insert(member);
  } else {
    known.present.insert(member);  // refused, or its side of a cut has not seen it: then it stays
  }
}

void Members::DoVerify(const Processes& nodes) {
  Reader reader(nodes);
  for (const auto& [key, known] : keys_) {
    const std::vector<std::string> members = SplitReply(reader.Run(FillIn(kind_.show, key, "")));
    const std::set<std::string> shown(members.begin(), members.end());
    for (const std::string& member : known.present) {
      if (!shown.contains(member)) Complain("LOST " + member + " of " + key);
    }
    for (const std::string& member : shown) {
      if (known.gone.contains(member)) Complain("RETURNED " + member + " of " + key);
    }
  }
}

std::vector<std::string> Members::KeyList() const {
  return KeysOfMap(keys_);
}

// ---- Lists

void Lists::DoStep(size_t, Client* connection, std::mt19937_64* random) {
  const std::string key = Number(prefix_, "list", (*random)() % kKeys);
  const bool left = (*random)() % 2 == 0;
  if ((*random)() % 5 < 2) {
    const std::string reply = connection->Run({left ? "LPOP" : "RPOP", key});
    const std::scoped_lock lock(mutex_);
    const Outcome outcome = Judge(reply);
    if (outcome == Outcome::kUnknown) ++keys_[key].unknown_pops;
    if (outcome == Outcome::kAcknowledged && reply != "(nil)") keys_[key].popped.insert(reply);
    return;
  }
  std::string element;
  {
    const std::scoped_lock lock(mutex_);
    element = "e" + std::to_string(next_++);
  }
  const std::string reply = connection->Run({left ? "LPUSH" : "RPUSH", key, element});
  const std::scoped_lock lock(mutex_);
  const Outcome outcome = Judge(reply);
  if (outcome == Outcome::kAcknowledged) keys_[key].pushed.insert(element);
  if (outcome == Outcome::kUnknown) keys_[key].maybe_pushed.insert(element);
}

void Lists::DoVerify(const Processes& nodes) {
  Reader reader(nodes);
  for (const auto& [key, known] : keys_) {
    const std::vector<std::string> elements = SplitReply(reader.Run({"LRANGE", key, "0", "-1"}));
    const std::set<std::string> shown(elements.begin(), elements.end());
    if (shown.size() != elements.size()) Complain("an element TWICE in " + key);
    std::vector<std::string> missing;
    for (const std::string& element : known.pushed) {
      if (!shown.contains(element) && !known.popped.contains(element)) missing.push_back(element);
    }
    if (missing.size() > known.unknown_pops) {
      Complain("LOST " + std::to_string(missing.size()) + " elements of " + key + ", " + missing.front() +
               " among them, with " + std::to_string(known.unknown_pops) + " pops of unknown outcome");
    }
    for (const std::string& element : shown) {
      if (known.popped.contains(element)) Complain("RETURNED " + element + " of " + key);
      if (!known.pushed.contains(element) && !known.maybe_pushed.contains(element))
        Complain("NEVER PUSHED " + element + " of " + key);
    }
  }
}

std::vector<std::string> Lists::KeyList() const {
  return KeysOfMap(keys_);
}

}  // namespace orrery::cluster
