#include "commands/command_details_table.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kRandomOutput = "nondeterministic_output";
constexpr std::string_view kRandomOrder = "nondeterministic_output_order";
constexpr std::string_view kUpdate = "RW access update";
constexpr std::string_view kScan = "key cursor:i [MATCH pattern:p] [COUNT count:i]";

constexpr CommandDetails kRows[] = {
    // hashes
    {"hdel", "", "", "RW delete", "key field..."},
    {"hexists", "", "", "RO", "key field"},
    {"hget", "", "", "RO access", "key field"},
    {"hgetall", "", kRandomOrder, "RO access", "key"},
    {"hincrby", "", "", kUpdate, "key field increment:i"},
    {"hincrbyfloat", "", "", kUpdate, "key field increment:d"},
    {"hkeys", "", kRandomOrder, "RO access", "key"},
    {"hlen", "", "", "RO", "key"},
    {"hmget", "", "", "RO access", "key field..."},
    {"hmset", "", "", "RW update", "key (field_value=field value)..."},
    {"hrandfield", "", kRandomOutput, "RO access", "key [options=count:i [WITHVALUES]]"},
    {"hscan", "", kRandomOutput, "RO access", kScan},
    {"hset", "", "", "RW update", "key (field_value=field value)..."},
    {"hsetnx", "", "", "RW insert", "key field value"},
    {"hstrlen", "", "", "RO", "key field"},
    {"hvals", "", kRandomOrder, "RO access", "key"},
    // HyperLogLog
    {"pfadd", "", "", "RW insert", "key [element]..."},
    {"pfcount", "", "", "RW access", "key..."},
    {"pfdebug", "", "", "RW access", "subcommand key"},
    {"pfmerge", "", "", "RW access insert/RO access", "destkey:k sourcekey:k1..."},
    // lists
    {"blmove", "", "", "RW access delete/RW insert",
     "source:k destination:k1 (wherefrom=LEFT|RIGHT) (whereto=LEFT|RIGHT) timeout:d"},
    {"blmpop", "", "", "RW access delete", "timeout:d numkeys:i key... (where=LEFT|RIGHT) [COUNT count:i]"},
    {"blpop", "", "", "RW access delete", "key... timeout:d"},
    {"brpop", "", "", "RW access delete", "key... timeout:d"},
    {"brpoplpush", "", "", "RW access delete/RW insert", "source:k destination:k1 timeout:d"},
    {"lindex", "", "", "RO access", "key index:i"},
    {"linsert", "", "", "RW insert", "key (where=BEFORE|AFTER) pivot element"},
    {"llen", "", "", "RO", "key"},
    {"lmove", "", "", "RW access delete/RW insert", "source:k destination:k1 (wherefrom=LEFT|RIGHT) (whereto=LEFT|RIGHT)"},
    {"lmpop", "", "", "RW access delete", "numkeys:i key... (where=LEFT|RIGHT) [COUNT count:i]"},
    {"lpop", "", "", "RW access delete", "key [count:i]"},
    {"lpos", "", "", "RO access", "key element [RANK rank:i] [COUNT num-matches:i] [MAXLEN len:i]"},
    {"lpush", "", "", "RW insert", "key element..."},
    {"lpushx", "", "", "RW insert", "key element..."},
    {"lrange", "", "", "RO access", "key start:i stop:i"},
    {"lrem", "", "", "RW delete", "key count:i element"},
    {"lset", "", "", "RW update", "key index:i element"},
    {"ltrim", "", "", "RW delete", "key start:i stop:i"},
    {"rpop", "", "", "RW access delete", "key [count:i]"},
    {"rpoplpush", "", "", "RW access delete/RW insert", "source:k destination:k1"},
    {"rpush", "", "", "RW insert", "key element..."},
    {"rpushx", "", "", "RW insert", "key element..."},
    // sets
    {"sadd", "", "", "RW insert", "key member..."},
    {"scard", "", "", "RO", "key"},
    {"sdiff", "", kRandomOrder, "RO access", "key..."},
    {"sdiffstore", "", "", "OW update/RO access", "destination:k key:k1..."},
    {"sinter", "", kRandomOrder, "RO access", "key..."},
    {"sintercard", "", "", "RO access", "numkeys:i key... [LIMIT limit:i]"},
    {"sinterstore", "", "", "RW update/RO access", "destination:k key:k1..."},
    {"sismember", "", "", "RO", "key member"},
    {"smembers", "", kRandomOrder, "RO access", "key"},
    {"smismember", "", "", "RO access", "key member..."},
    {"smove", "", "", "RW access delete/RW insert", "source:k destination:k1 member"},
    {"spop", "", kRandomOutput, "RW access delete", "key [count:i]"},
    {"srandmember", "", kRandomOutput, "RO access", "key [count:i]"},
    {"srem", "", "", "RW delete", "key member..."},
    {"sscan", "", kRandomOutput, "RO access", kScan},
    {"sunion", "", kRandomOrder, "RO access", "key..."},
    {"sunionstore", "", "", "OW update/RO access", "destination:k key:k1..."},
};

}  // namespace

std::span<const CommandDetails> CollectionDetails() {
  return kRows;
}

}  // namespace orrery::commands
