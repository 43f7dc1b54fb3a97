#include "commands/command_details_table.h"

namespace orrery::commands {
namespace {

constexpr CommandDetails kRows[] = {
    // sorted sets
    {"bzmpop", "", "", "RW access delete", "timeout:d numkeys:i key... (where=MIN|MAX) [COUNT count:i]"},
    {"bzpopmax", "", "", "RW access delete", "key... timeout:d"},
    {"bzpopmin", "", "", "RW access delete", "key... timeout:d"},
    {"zadd", "", "", "RW update",
     "key [condition=NX|XX] [comparison=GT|LT] [CH] [INCR] (score_member=score:d member)..."},
    {"zcard", "", "", "RO", "key"},
    {"zcount", "", "", "RO access", "key min:d max:d"},
    {"zdiff", "", "", "RO access", "numkeys:i key... [WITHSCORES]"},
    {"zdiffstore", "", "", "OW update/RO access", "destination:k numkeys:i key:k1..."},
    {"zincrby", "", "", "RW access update", "key increment:i member"},
    {"zinter", "", "", "RO access",
     "numkeys:i key... [WEIGHTS weight:i...] [AGGREGATE (aggregate=SUM|MIN|MAX)] [WITHSCORES]"},
    {"zintercard", "", "", "RO access", "numkeys:i key... [LIMIT limit:i]"},
    {"zinterstore", "", "", "OW update/RO access",
     "destination:k numkeys:i key:k1... [WEIGHTS weight:i...] [AGGREGATE (aggregate=SUM|MIN|MAX)]"},
    {"zlexcount", "", "", "RO access", "key min max"},
    {"zmpop", "", "", "RW access delete", "numkeys:i key... (where=MIN|MAX) [COUNT count:i]"},
    {"zmscore", "", "", "RO access", "key member..."},
    {"zpopmax", "", "", "RW access delete", "key [count:i]"},
    {"zpopmin", "", "", "RW access delete", "key [count:i]"},
    {"zrandmember", "", "nondeterministic_output", "RO access", "key [options=count:i [WITHSCORES]]"},
    {"zrange", "", "", "RO access",
     "key start stop [sortby=BYSCORE|BYLEX] [REV] [LIMIT (offset_count=offset:i count:i)] [WITHSCORES]"},
    {"zrangebylex", "", "", "RO access", "key min max [LIMIT (offset_count=offset:i count:i)]"},
    {"zrangebyscore", "", "", "RO access",
     "key min:d max:d [WITHSCORES] [LIMIT (offset_count=offset:i count:i)]"},
    {"zrangestore", "", "", "OW update/RO access",
     "dst:k src:k1 min max [sortby=BYSCORE|BYLEX] [REV] [LIMIT (offset_count=offset:i count:i)]"},
    {"zrank", "", "", "RO access", "key member"},
    {"zrem", "", "", "RW delete", "key member..."},
    {"zremrangebylex", "", "", "RW delete", "key min max"},
    {"zremrangebyrank", "", "", "RW delete", "key start:i stop:i"},
    {"zremrangebyscore", "", "", "RW delete", "key min:d max:d"},
    {"zrevrange", "", "", "RO access", "key start:i stop:i [WITHSCORES]"},
    {"zrevrangebylex", "", "", "RO access", "key max min [LIMIT (offset_count=offset:i count:i)]"},
    {"zrevrangebyscore", "", "", "RO access",
     "key max:d min:d [WITHSCORES] [LIMIT (offset_count=offset:i count:i)]"},
    {"zrevrank", "", "", "RO access", "key member"},
    {"zscan", "", "nondeterministic_output", "RO access", "key cursor:i [MATCH pattern:p] [COUNT count:i]"},
    {"zscore", "", "", "RO access", "key member"},
    {"zunion", "", "", "RO access",
     "numkeys:i key... [WEIGHTS weight:i...] [AGGREGATE (aggregate=SUM|MIN|MAX)] [WITHSCORES]"},
    {"zunionstore", "", "", "OW update/RO access",
     "destination:k numkeys:i key:k1... [WEIGHTS weight:i...] [AGGREGATE (aggregate=SUM|MIN|MAX)]"},
    // geo
    {"geoadd", "", "", "RW update",
     "key [condition=NX|XX] [CH] (longitude_latitude_member=longitude:d latitude:d member)..."},
    {"geodist", "", "", "RO access", "key member1 member2 [unit=M|KM|FT|MI]"},
    {"geohash", "", "", "RO access", "key member..."},
    {"geopos", "", "", "RO access", "key member..."},
    {"georadius", "", "", "RO access/OW update",
     "key longitude:d latitude:d radius:d (unit=M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count=COUNT "
     "count:i [ANY]] [order=ASC|DESC] [STORE key:k1] [STOREDIST key:k2]"},
    {"georadius_ro", "", "", "RO access",
     "key longitude:d latitude:d radius:d (unit=M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count=COUNT "
     "count:i [ANY]] [order=ASC|DESC]"},
    {"georadiusbymember", "", "", "RO access/OW update",
     "key member radius:d (unit=M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count=COUNT count:i [ANY]] "
     "[order=ASC|DESC] [STORE key:k1] [STOREDIST key:k2]"},
    {"georadiusbymember_ro", "", "", "RO access",
     "key member radius:d (unit=M|KM|FT|MI) [WITHCOORD] [WITHDIST] [WITHHASH] [count=COUNT count:i [ANY]] "
     "[order=ASC|DESC]"},
    {"geosearch", "", "", "RO access",
     "key (from=FROMMEMBER member|FROMLONLAT (longitude_latitude=longitude:d latitude:d)) "
     "(by=(circle=BYRADIUS radius:d (unit=M|KM|FT|MI))|(box=BYBOX width:d height:d (unit=M|KM|FT|MI))) "
     "[order=ASC|DESC] [count=COUNT count:i [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]"},
    {"geosearchstore", "", "", "OW update/RO access",
     "destination:k source:k1 (from=FROMMEMBER member|FROMLONLAT (longitude_latitude=longitude:d "
     "latitude:d)) (by=(circle=BYRADIUS radius:d (unit=M|KM|FT|MI))|(box=BYBOX width:d height:d "
     "(unit=M|KM|FT|MI))) [order=ASC|DESC] [count=COUNT count:i [ANY]] [STOREDIST]"},
};

}  // namespace

std::span<const CommandDetails> ZsetDetails() {
  return kRows;
}

}  // namespace orrery::commands
