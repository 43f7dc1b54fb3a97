#include "commands/command_details_table.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kExpireCondition = "key seconds:i [condition=NX|XX|GT|LT]";
constexpr std::string_view kExpireMsCondition = "key milliseconds:i [condition=NX|XX|GT|LT]";
constexpr std::string_view kRandomOutput = "nondeterministic_output";
constexpr std::string_view kRandomOrder = "nondeterministic_output_order";
constexpr std::string_view kSummed = "request_policy:multi_shard response_policy:agg_sum";
constexpr std::string_view kReports =
    "nondeterministic_output request_policy:all_nodes response_policy:special";
constexpr std::string_view kToAllNodes = "request_policy:all_nodes response_policy:all_succeeded";
constexpr std::string_view kToAllShards = "request_policy:all_shards response_policy:all_succeeded";
constexpr std::string_view kShardReport =
    "nondeterministic_output request_policy:all_shards response_policy:special";
constexpr std::string_view kUpdate = "RW access update";
constexpr std::string_view kSortCategories = "set sortedset list dangerous";
constexpr std::string_view kDangerousKeyspace = "keyspace dangerous";

constexpr CommandDetails kRows[] = {
    // strings
    {"append", "", "", "RW insert", "key value"},
    {"decr", "", "", kUpdate, "key"},
    {"decrby", "", "", kUpdate, "key decrement:i"},
    {"get", "", "", "RO access", "key"},
    {"getdel", "", "", "RW access delete", "key"},
    {"getex", "", "", kUpdate,
     "key [expiration=EX seconds:i|PX milliseconds:i|EXAT unix-time-seconds:u|PXAT "
     "unix-time-milliseconds:u|PERSIST]"},
    {"getrange", "", "", "RO access", "key start:i end:i"},
    {"getset", "", "", kUpdate, "key value"},
    {"incr", "", "", kUpdate, "key"},
    {"incrby", "", "", kUpdate, "key increment:i"},
    {"incrbyfloat", "", "", kUpdate, "key increment:d"},
    {"lcs", "", "", "RO access", "key1:k key2:k [LEN] [IDX] [MINMATCHLEN len:i] [WITHMATCHLEN]"},
    {"mget", "", "request_policy:multi_shard", "RO access", "key..."},
    {"mset", "", "request_policy:multi_shard response_policy:all_succeeded", "OW update",
     "(key_value=key value)..."},
    {"msetnx", "", "request_policy:multi_shard response_policy:agg_min", "OW insert",
     "(key_value=key value)..."},
    {"psetex", "", "", "OW update", "key milliseconds:i value"},
    {"set", "", "", "RW access update variable_flags",
     "key value [condition=NX|XX] [GET] [expiration=EX seconds:i|PX milliseconds:i|EXAT unix-time-seconds:u|"
     "PXAT unix-time-milliseconds:u|KEEPTTL]"},
    {"setex", "", "", "OW update", "key seconds:i value"},
    {"setnx", "", "", "OW insert", "key value"},
    {"setrange", "", "", "RW update", "key offset:i value"},
    {"strlen", "", "", "RO", "key"},
    {"substr", "", "", "RO access", "key start:i end:i"},
    // bits
    {"bitcount", "", "", "RO access", "key [index=start:i end:i [index_unit=BYTE|BIT]]"},
    {"bitfield", "", "", "RW access update variable_flags",
     "key [operation=GET (encoding_offset=encoding offset:i)|(write=[OVERFLOW (wrap_sat_fail=WRAP|SAT|FAIL)] "
     "(write_operation=SET (encoding_offset_value=encoding offset:i value:i)|"
     "INCRBY (encoding_offset_increment=encoding offset:i increment:i)))]..."},
    {"bitfield_ro", "", "", "RO access", "key [GET (encoding_offset=encoding offset:i)]...."},
    {"bitop", "", "", "OW update/RO access", "operation destkey:k key:k1..."},
    {"bitpos", "", "", "RO access", "key bit:i [index=start:i [end_index=end:i [index_unit=BYTE|BIT]]]"},
    {"getbit", "", "", "RO access", "key offset:i"},
    {"setbit", "", "", kUpdate, "key offset:i value:i"},
    // keys
    {"copy", "", "", "RO access/OW update", "source:k destination:k1 [DB destination-db:i] [REPLACE]"},
    {"del", "", kSummed, "RM delete", "key..."},
    {"dump", "", kRandomOutput, "RO access", "key"},
    {"exists", "", kSummed, "RO", "key..."},
    {"expire", "", "", "RW update", kExpireCondition},
    {"expireat", "", "", "RW update", "key unix-time-seconds:u [condition=NX|XX|GT|LT]"},
    {"expiretime", "", "", "RO access", "key"},
    {"keys", kDangerousKeyspace, "request_policy:all_shards nondeterministic_output_order", "", "pattern:p"},
    {"move", "", "", kUpdate, "key db:i"},
    {"object|encoding", "keyspace", kRandomOutput, "RO", "key"},
    {"object|freq", "keyspace", kRandomOutput, "RO", "key"},
    {"object|help", "keyspace", "", "", ""},
    {"object|idletime", "keyspace", kRandomOutput, "RO", "key"},
    {"object|refcount", "keyspace", kRandomOutput, "RO", "key"},
    {"persist", "", "", "RW update", "key"},
    {"pexpire", "", "", "RW update", kExpireMsCondition},
    {"pexpireat", "", "", "RW update", "key unix-time-milliseconds:u [condition=NX|XX|GT|LT]"},
    {"pexpiretime", "", "", "RO access", "key"},
    {"pttl", "", kRandomOutput, "RO access", "key"},
    {"randomkey", "", "request_policy:all_shards nondeterministic_output", "", ""},
    {"rename", "", "", "RW access delete/OW update", "key newkey:k1"},
    {"renamenx", "", "", "RW access delete/OW insert", "key newkey:k1"},
    {"scan", "", "nondeterministic_output request_policy:special", "",
     "cursor:i [MATCH pattern:p] [COUNT count:i] [TYPE type]"},
    {"restore", "keyspace dangerous", "", "OW update",
     "key ttl:i serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:i] [FREQ frequency:i]"},
    {"restore-asking", "keyspace dangerous", "", "OW update",
     "key ttl:i serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:i] [FREQ frequency:i]"},
    {"sort", kSortCategories, "", "RO access/OW update",
     "key [BY pattern:p1] [LIMIT (offset_count=offset:i count:i)] [GET pattern:p1].... [order=ASC|DESC] "
     "[ALPHA] [STORE destination:k2]"},
    {"sort_ro", kSortCategories, "", "RO access",
     "key [BY pattern:p1] [LIMIT (offset_count=offset:i count:i)] [GET pattern:p1].... [order=ASC|DESC] "
     "[ALPHA]"},
    {"touch", "", kSummed, "RO", "key..."},
    {"ttl", "", kRandomOutput, "RO access", "key"},
    {"type", "", "", "RO", "key"},
    {"unlink", "", kSummed, "RM delete", "key..."},
    {"wait", "connection", "request_policy:all_shards response_policy:agg_min", "",
     "numreplicas:i timeout:i"},
    // versions
    {"dget", "keyspace", "", "RO access", "key [R read-quorum:i] [TIMEOUT milliseconds:i]"},
    {"dput", "keyspace", "", "RW update",
     "key context value [W write-quorum:i] [TIMEOUT milliseconds:i] [expiration=EX seconds:i|PX "
     "milliseconds:i]"},
    {"ddel", "keyspace", "", "RW delete", "key context [W write-quorum:i] [TIMEOUT milliseconds:i]"},
    {"dcompare", "", "", "", "context1 context2"},
    // connections
    {"auth", "", "", "", "[username] password"},
    {"client|caching", "", "", "", "(mode=YES|NO)"},
    {"client|info", "", kRandomOutput, "", ""},
    {"client|kill", "", "", "",
     "(filter=ip:port|(new-format=[ID client-id:i]|"
     "[TYPE (normal_master_slave_pubsub=NORMAL|MASTER|SLAVE|REPLICA|PUBSUB)]|[USER username]|[ADDR ip:port]|"
     "[LADDR ip:port]|[SKIPME yes/no])...)"},
    {"client|list", "", kRandomOutput, "",
     "[TYPE (normal_master_replica_pubsub=NORMAL|MASTER|REPLICA|PUBSUB)] [ID (id=client-id:i...)]"},
    {"client|no-evict", "", "", "", "(enabled=ON|OFF)"},
    {"client|no-touch", "", "", "", "(enabled=ON|OFF)"},
    {"client|pause", "", "", "", "timeout:i [mode=WRITE|ALL]"},
    {"client|quorum", "", "", "", "[R read-quorum:i] [W write-quorum:i]"},
    {"client|reply", "", "", "", "(on_off_skip=ON|OFF|SKIP)"},
    {"client|setinfo", "", "", "", "(attr=LIB-NAME libname|LIB-VER libver)"},
    {"client|setname", "", "", "", "connection-name"},
    {"client|tracking", "", "", "", "(status=ON|OFF)"},
    {"client|unblock", "", "", "", "client-id:i [timeout_error=TIMEOUT|ERROR]"},
    {"echo", "", "", "", "message"},
    {"hello", "", "", "",
     "[arguments=protover:i [AUTH (username_password=username password)] [SETNAME clientname]]"},
    {"ping", "", kToAllShards, "", "[message]"},
    {"select", "", "", "", "index:i"},
    // server
    {"bgsave", "", "", "", "[SCHEDULE]"},
    {"command", "connection", kRandomOrder, "", ""},
    {"command|count", "connection", "", "", ""},
    {"command|docs", "connection", kRandomOrder, "", "[command-name]..."},
    {"command|getkeys", "connection", "", "", ""},
    {"command|getkeysandflags", "connection", "", "", ""},
    {"command|help", "connection", "", "", ""},
    {"command|info", "connection", kRandomOrder, "", "[command-name]..."},
    {"command|list", "connection", kRandomOrder, "",
     "[FILTERBY (filterby=MODULE module-name|ACLCAT category|PATTERN pattern:p)]"},
    {"config|get", "", "", "", "(parameter=parameter)..."},
    {"config|set", "", kToAllNodes, "", "(parameter_value=parameter value)..."},
    {"dbsize", "keyspace", "request_policy:all_shards response_policy:agg_sum", "", ""},
    {"flushall", kDangerousKeyspace, kToAllShards, "", "[async=ASYNC|SYNC]"},
    {"flushdb", kDangerousKeyspace, kToAllShards, "", "[async=ASYNC|SYNC]"},
    {"info", "dangerous", kShardReport, "", "[section]..."},
    {"lastsave", "admin dangerous", kRandomOutput, "", ""},
    {"latency|doctor", "", kReports, "", ""},
    {"latency|graph", "", kReports, "", "event"},
    {"latency|histogram", "", kReports, "", "[command]..."},
    {"latency|history", "", kReports, "", "event"},
    {"latency|latest", "", kReports, "", ""},
    {"latency|reset", "", kToAllNodes, "", "[event]..."},
    {"lolwut", "", "", "", "[VERSION version:i]"},
    {"memory|doctor", "", kShardReport, "", ""},
    {"memory|malloc-stats", "", kShardReport, "", ""},
    {"memory|purge", "", kToAllShards, "", ""},
    {"memory|stats", "", kShardReport, "", ""},
    {"memory|usage", "-", "", "RO", "key [SAMPLES count:i]"},
    {"shutdown", "", "", "", "[nosave_save=NOSAVE|SAVE] [NOW] [FORCE] [ABORT]"},
    {"slowlog|get", "", "request_policy:all_nodes nondeterministic_output", "", "[count:i]"},
    {"slowlog|len", "", "request_policy:all_nodes response_policy:agg_sum nondeterministic_output", "", ""},
    {"slowlog|reset", "", kToAllNodes, "", ""},
    {"time", "", kRandomOutput, "", ""},
    // cluster and ring
    {"asking", "connection", "", "", ""},
    {"cluster|countkeysinslot", "", "", "", "slot:i"},
    {"cluster|getkeysinslot", "", kRandomOutput, "", "slot:i count:i"},
    {"cluster|forget", "", "", "", "node-id:s"},
    {"cluster|info", "", kRandomOutput, "", ""},
    {"cluster|keyslot", "", "", "", "key:s"},
    {"cluster|links", "", kRandomOutput, "", ""},
    {"cluster|meet", "", "", "", "ip port:i [cluster_bus_port:i]"},
    {"cluster|nodes", "", kRandomOutput, "", ""},
    {"cluster|reset", "", "", "", "[hard_soft=HARD|SOFT]"},
    {"cluster|shards", "", kRandomOutput, "", ""},
    {"cluster|slots", "", kRandomOutput, "", ""},
    {"readonly", "connection", "", "", ""},
    {"readwrite", "connection", "", "", ""},
    {"ring|preflist", "", "", "", "key:s"},
    {"ring|replace", "", "", "", "node-id:s"},
    {"ring|slot", "", kRandomOutput, "", "slot:i"},
    {"ring|weight", "", "", "", "weight:i"},
    {"ring|zone", "", "", "", "zone:s"},
};

}  // namespace

std::vector<std::span<const CommandDetails>> AllCommandDetails() {
  return {kRows, CollectionDetails(), ZsetDetails()};
}

}  // namespace orrery::commands
