#include "simulation/key_kinds.h"

#include <algorithm>

namespace orrery::simulation {
namespace {

std::string NumberValue(const Draw& draw) {
  return std::to_string(1000 * draw.number);
}
std::string TextValue(const Draw& draw) {
  return "v" + std::to_string(draw.number);
}

Command ChooseForRegister(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  if (dice < 20) return {"SET", key, NumberValue(draw)};
  if (dice < 28)
    return {"MSET", key, NumberValue(draw), draw.any_key('a'), "7", draw.any_key('c'), TextValue(draw)};
  if (dice < 36) return {"DEL", key};
  if (dice < 41) return {"DEL", key, draw.any_key('a'), draw.any_key('e')};
  if (dice < 60) return {"INCR", key};
  if (dice < 66) return {"DECRBY", key, "3"};
  if (dice < 70) return {"GETSET", key, NumberValue(draw)};
  if (dice < 73) return {"SETNX", key, NumberValue(draw)};
  if (dice < 76) return {"APPEND", key, "1"};
  if (dice < 80) return {"MGET", key, draw.any_key('a')};
  if (dice < 82 && draw.random.Below(4) == 0) return {draw.random.Below(2) == 0 ? "DBSIZE" : "RANDOMKEY"};
  return {"GET", key};
}

Command ChooseForCounter(const Draw& draw, const std::string& key) {
  if (draw.random.Below(100) < 70) return {"INCR", key};
  return {"GET", key};
}

std::string Context(const Draw& draw) {
  if (draw.contexts.empty() || draw.random.Below(6) == 0) return "";
  if (draw.random.Below(2) == 0) return draw.contexts.back();
  return draw.contexts[draw.random.Below(draw.contexts.size())];
}

Command ChooseForSiblings(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  if (dice < 30) return {"DGET", key};
  if (dice < 65) return {"DPUT", key, Context(draw), TextValue(draw)};
  if (dice < 80) return {"DDEL", key, Context(draw)};
  return {"SET", key, TextValue(draw)};
}

Command ChooseForElements(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string element(1, static_cast<char>('p' + draw.random.Below(3)));
  if (dice < 45) return {"ESET", key, element, TextValue(draw)};
  if (dice < 60) return {"EREM", key, element};
  if (dice < 75) return {"ECLEAR", key};
  return {"EGET", key, element};
}

// Ends that come while the run lasts. By absolute time, so that checkers know them, too.
Command ChooseForEnds(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string end = std::to_string(draw.wall_ms + draw.random.Below(3'000));
  if (dice < 15) return {"SET", key, NumberValue(draw)};
  if (dice < 35) return {"SET", key, NumberValue(draw), "PXAT", end};
  if (dice < 50) return {"PEXPIREAT", key, end};
  if (dice < 58) return {"PERSIST", key};
  if (dice < 62) return {"SET", key, NumberValue(draw), "KEEPTTL"};
  if (dice < 75) return {"INCR", key};
  if (dice < 80) return {"GETDEL", key};
  if (dice < 85) return {"GETEX", key, "PXAT", end};
  return {"GET", key};
}

Command ChooseForMoves(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  if (dice < 22) return {"SET", key, NumberValue(draw)};
  if (dice < 30) return {"SET", key, NumberValue(draw), "PX", std::to_string(1 + draw.random.Below(3'000))};
  if (dice < 40) return {"INCR", key};
  if (dice < 45) return {"EXPIRE", key, "1"};
  if (dice < 55) return {"RENAME", key, draw.any_key('f')};
  if (dice < 65) return {"COPY", key, draw.any_key('f'), "REPLACE"};
  if (dice < 72) return {"MSETNX", key, NumberValue(draw), draw.any_key('f'), "7"};
  if (dice < 80) return {"BITOP", "OR", key, draw.any_key('f'), draw.any_key('a')};
  if (dice < 88) return {"DEL", key};
  return {"GET", key};
}

Command ChooseForHashes(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string field(1, static_cast<char>('p' + draw.random.Below(5)));
  if (dice < 30) return {"HSET", key, field, NumberValue(draw), "q", TextValue(draw)};
  if (dice < 45) return {"HINCRBY", key, field, "1"};
  if (dice < 60) return {"HDEL", key, field, "q"};
  if (dice < 67) return {"DEL", key};
  if (dice < 72) return {"SET", key, TextValue(draw)};
  if (dice < 78) return {"PEXPIREAT", key, std::to_string(draw.wall_ms + draw.random.Below(3'000))};
  if (dice < 82) return {"PERSIST", key};
  if (dice < 86) return {"COPY", key, draw.any_key('g'), "REPLACE"};
  if (dice < 93) return {"HGETALL", key};
  return {"HLEN", key};
}

Command ChooseForZsets(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string member(1, static_cast<char>('p' + draw.random.Below(5)));
  const std::string score = std::to_string(draw.random.Below(9));
  if (dice < 25) return {"ZADD", key, score, member, "1", "q"};
  if (dice < 45) return {"ZINCRBY", key, "1.5", member};
  if (dice < 53) return {"ZREM", key, member, "q"};
  if (dice < 60) return {dice % 2 == 0 ? "ZPOPMIN" : "ZPOPMAX", key, "2"};
  if (dice < 65) return {"ZREMRANGEBYSCORE", key, "3", score};
  if (dice < 70) return {"DEL", key};
  if (dice < 73) return {"SET", key, TextValue(draw)};
  if (dice < 78) return {"PEXPIREAT", key, std::to_string(draw.wall_ms + draw.random.Below(3'000))};
  if (dice < 81) return {"RENAME", key, draw.any_key('h')};
  if (dice < 85) return {"ZUNIONSTORE", key, "2", key, draw.any_key('h')};
  if (dice < 87) return {"ZMPOP", "2", key, draw.any_key('h'), "MIN"};
  if (dice < 93) return {dice % 2 == 0 ? "BZPOPMIN" : "BZPOPMAX", key, draw.any_key('h'), dice < 90 ? "0.2" : "2.5"};
  return {"ZRANGE", key, "0", "-1", "WITHSCORES"};
}

Command ChooseForLists(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string few(1, static_cast<char>('p' + draw.random.Below(4)));
  if (dice < 18) return {"RPUSH", key, TextValue(draw), few};
  if (dice < 32) return {"LPUSH", key, TextValue(draw), few};
  if (dice < 44) return {dice % 2 == 0 ? "LPOP" : "RPOP", key};
  if (dice < 48) return {"LPOP", key, "3"};
  if (dice < 55) return {"LINSERT", key, dice % 2 == 0 ? "BEFORE" : "AFTER", few, TextValue(draw)};
  if (dice < 60) return {"LSET", key, std::to_string(draw.random.Below(4)), TextValue(draw)};
  if (dice < 65) return {"LREM", key, dice % 2 == 0 ? "1" : "-1", few};
  if (dice < 69) return {"LTRIM", key, "-20", "-1"};
  if (dice < 74) return {"LMOVE", key, draw.any_key('l'), "LEFT", dice % 2 == 0 ? "LEFT" : "RIGHT"};
  if (dice < 75) return {"BLMOVE", key, draw.any_key('l'), "RIGHT", "LEFT", "0.3"};
  if (dice < 77) return {"LMPOP", "2", key, draw.any_key('l'), "RIGHT", "COUNT", "2"};
  if (dice < 80) return {"DEL", key};
  if (dice < 82) return {"SET", key, TextValue(draw)};
  if (dice < 86) return {"PEXPIREAT", key, std::to_string(draw.wall_ms + draw.random.Below(3'000))};
  if (dice < 89) return {"RENAME", key, draw.any_key('l')};
  if (dice < 94) return {"LINDEX", key, "2"};
  return {"LRANGE", key, "0", "-1"};
}

// Somewhat more waiting than pushing, so that there is nearly always somebody who waits.
Command ChooseForQueues(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string patience = dice % 3 == 0 ? "2.5" : "0.3";
  if (dice < 25) return {"RPUSH", key, TextValue(draw)};
  if (dice < 35) return {"LPUSH", key, TextValue(draw), TextValue(draw) + "b"};
  if (dice < 60) return {dice % 2 == 0 ? "BLPOP" : "BRPOP", key, draw.any_key('k'), patience};
  if (dice < 75) return {"BLPOP", key, patience};
  if (dice < 85) return {"BLMPOP", patience, "2", draw.any_key('k'), key, "LEFT", "COUNT", "2"};
  if (dice < 92) return {"BLMOVE", key, key, "LEFT", "RIGHT", patience};
  if (dice < 96) return {"LPOP", key};
  return {"LLEN", key};
}

Command ChooseForSets(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string member(1, static_cast<char>('p' + draw.random.Below(6)));
  if (dice < 30) return {"SADD", key, member, TextValue(draw)};
  if (dice < 45) return {"SREM", key, member, "q"};
  if (dice < 52) return {"SPOP", key};
  if (dice < 60) return {"SMOVE", key, draw.any_key('m'), member};
  if (dice < 66) return {"SUNIONSTORE", key, key, draw.any_key('m')};
  if (dice < 72) return {"SINTERSTORE", key, key, draw.any_key('m')};
  if (dice < 77) return {"DEL", key};
  if (dice < 80) return {"SET", key, TextValue(draw)};
  if (dice < 85) return {"PEXPIREAT", key, std::to_string(draw.wall_ms + draw.random.Below(3'000))};
  if (dice < 88) return {"COPY", key, draw.any_key('m'), "REPLACE"};
  if (dice < 94) return {"SMEMBERS", key};
  return {"SCARD", key};
}

Command ChooseForSketches(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  // Some are counted in twice, on whatever side.
  const std::string often = "e" + std::to_string(draw.random.Below(20));
  if (dice < 50) return {"PFADD", key, TextValue(draw), often};
  if (dice < 60) return {"PFADD", key, often};
  if (dice < 70) return {"PFMERGE", key, draw.any_key('j')};
  if (dice < 85) return {"PFCOUNT", key, draw.any_key('j')};
  return {"PFCOUNT", key};
}

// Elements that come and go by name, and whole collections that go. Few names, so that the two sides of a cut meet.
std::string ElementName(const Draw& draw) {
  return std::string(1, static_cast<char>('p' + draw.random.Below(5)));
}

Command ChooseForNamedMembers(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  if (dice < 45) return {"SADD", key, ElementName(draw), ElementName(draw)};
  if (dice < 75) return {"SREM", key, ElementName(draw)};
  if (dice < 80) return {"DEL", key};
  if (dice < 90) return {"SISMEMBER", key, ElementName(draw)};
  return {"SMEMBERS", key};
}

Command ChooseForNamedFields(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  if (dice < 45) return {"HSET", key, ElementName(draw), TextValue(draw)};
  if (dice < 72) return {"HDEL", key, ElementName(draw), ElementName(draw)};
  if (dice < 78) return {"UNLINK", key};
  if (dice < 90) return {"HGET", key, ElementName(draw)};
  return {"HGETALL", key};
}

Command ChooseForNamedItems(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  // Each value is pushed once, and removed by whoever guesses one of the latest.
  const std::string guess = "v" + std::to_string(draw.number - std::min<uint64_t>(draw.number, draw.random.Below(60)));
  if (dice < 35) return {"RPUSH", key, TextValue(draw)};
  if (dice < 50) return {"LPUSH", key, TextValue(draw)};
  if (dice < 85) return {"LREM", key, "0", guess};
  if (dice < 88) return {"DEL", key};
  return {"LRANGE", key, "0", "-1"};
}

Command ChooseForNamedPlaces(const Draw& draw, const std::string& key) {
  const uint64_t dice = draw.random.Below(100);
  const std::string score = std::to_string(draw.number);
  if (dice < 30) return {"ZADD", key, score, ElementName(draw), score + ".5", ElementName(draw)};
  if (dice < 50) return {"GEOADD", key, std::to_string(draw.number % 180), "41.5", ElementName(draw)};
  if (dice < 75) return {"ZREM", key, ElementName(draw)};
  if (dice < 80) return {"DEL", key};
  if (dice < 90) return {"GEOPOS", key, ElementName(draw)};
  return {"ZRANGE", key, "0", "-1"};
}

constexpr KeyKind kKinds[] = {
    {'a', "registers and counters mixed", ChooseForRegister},
    {'b', "counters", ChooseForCounter},
    {'c', "siblings", ChooseForSiblings},
    {'d', "elements", ChooseForElements},
    {'e', "keys that end", ChooseForEnds},
    {'f', "keys that are moved and copied", ChooseForMoves},
    {'g', "hashes", ChooseForHashes},
    {'h', "sorted sets", ChooseForZsets},
    {'j', "HyperLogLogs", ChooseForSketches},
    {'k', "queues", ChooseForQueues},
    {'l', "lists", ChooseForLists},
    {'m', "sets", ChooseForSets},
    {'n', "members by name", ChooseForNamedMembers},
    {'o', "fields by name", ChooseForNamedFields},
    {'p', "items by value", ChooseForNamedItems},
    {'q', "scores and places by name", ChooseForNamedPlaces},
};

}  // namespace

std::span<const KeyKind> KeyKinds() {
  return kKinds;
}

}  // namespace orrery::simulation
