"""Random commands of all types. Everything follows from the seed of the random generator that is handed in."""

MEMBERS = ["a", "b", "c", "d", "e", "10", "2", "-7", "3.5", "", "long" * 30, "\xff\x00", "zz", "B", "aa"]
GARBAGE = ["", "abc", "-1", "0", "3.5", "1e400", "9223372036854775808", "nan", "(1", "[a", "+", "-", "%", "nx", "count", "x" * 70]
PLACES = ["Palermo", "Catania", "Roma", "Torino", "Agrigento", "x", "y"]
BLOCKING = {"BLPOP", "BRPOP", "BLMPOP", "BLMOVE", "BRPOPLPUSH", "BZPOPMIN", "BZPOPMAX", "BZMPOP"}
# So long that none ends while the test runs, or in the past.
FAR = 100_000


class Generator:
    """next() gives one command, a list of str; latin-1 gives its bytes."""

    def __init__(self, random, now):
        self.random = random
        self.now = now
        self.ends = 0
        self.table = [(weight, make) for group in (self.strings, self.bits, self.keys, self.hashes, self.lists, self.sets,
                                                    self.zsets, self.places, self.sketches) for weight, make in group()]
        self.weights = [weight for weight, _ in self.table]

    def next(self):
        args = [str(arg) for arg in self.random.choices(self.table, self.weights)[0][1]()]
        # With more than one score among its members, ranges of "lex" by name are what nobody promises.
        may_be_spoilt = args[0] not in BLOCKING and not args[0].startswith("PF") and "lex" not in args
        if may_be_spoilt and self.chance(0.03):
            self.spoil(args)
        return args

    # ---- choices ----

    def chance(self, p):
        return self.random.random() < p

    def one(self, choices):
        return self.random.choice(choices)

    def number(self, low=-20, high=20):
        return self.random.randint(low, high)

    def spoil(self, args):
        """One argument more or less, or one that does not belong there. The key stays: each type has its own."""
        what = self.random.random()
        if what < 0.25 and len(args) > 2:
            del args[self.random.randrange(2, len(args))]
        elif what < 0.5:
            args.append(self.one(GARBAGE))
        elif len(args) > 2:
            args[self.random.randrange(2, len(args))] = self.one(GARBAGE)

    def key(self, kind):
        """Mostly a key of the kind, in one of a few slots; now and then one of another type."""
        if self.chance(0.02):
            kind = self.one("shlSz")
        tag = self.one(["", "", "{t}"])
        return f"{tag}{kind}{self.number(0, 4)}"

    def member(self):
        return self.one(MEMBERS) if self.chance(0.8) else f"m{self.number(0, 200)}"

    def members(self, most=4):
        return [self.member() for _ in range(self.number(1, most))]

    def value(self):
        if self.chance(0.4):
            return str(self.number(-1000, 1000))
        return self.member()

    def score(self):
        return self.one([self.number(-5, 5), self.number(-5, 5), self.random.uniform(-10, 10), "inf", "-inf", "1e300", "0.1"])

    def options(self, *choices):
        """Each of them, or not."""
        chosen = []
        for choice in choices:
            if self.chance(0.3):
                chosen += choice if isinstance(choice, list) else [choice]
        return chosen

    def maybe(self, choices, p=0.4):
        """One of them, or none."""
        if not self.chance(p):
            return []
        choice = self.one(choices)
        return choice if isinstance(choice, list) else [choice]

    def end(self):
        """When something ends: EX and its kin."""
        return self.one([["EX", FAR], ["PX", FAR * 1000], ["EXAT", self.now + FAR], ["PXAT", (self.now + FAR) * 1000],
                         ["EX", 0], ["PXAT", 1], ["EX", -5]])

    def far(self):
        self.ends += 1
        return FAR + self.ends * 1000

    def bound(self):
        return self.one(["-inf", "+inf", f"({self.number(-5, 5)}", self.number(-5, 5), self.number(-5, 5)])

    def lex(self):
        return self.one(["-", "+", "[a", "(a", "[c", "(m1", "[m3", "(zz"])

    # ---- commands ----

    def strings(self):
        k = lambda: self.key("s")
        return [
            (6, lambda: ["SET", k(), self.value(), *self.maybe([*[["NX"], ["XX"], ["GET"], ["KEEPTTL"], ["XX", "GET"], ["NX", "GET"]], self.end()])]),
            (4, lambda: ["GET", k()]),
            (2, lambda: ["APPEND", k(), self.value()]),
            (1, lambda: ["STRLEN", k()]),
            (2, lambda: [self.one(["INCR", "DECR"]), k()]),
            (2, lambda: [self.one(["INCRBY", "DECRBY"]), k(), self.number(-100, 100)]),
            (1, lambda: ["INCRBYFLOAT", k(), self.one([0.1, 3, -2.5, "1e3", self.number()])]),
            (1, lambda: ["GETRANGE", k(), self.number(), self.number()]),
            (1, lambda: ["SETRANGE", k(), self.number(0, 40), self.value()]),
            (1, lambda: ["GETDEL", k()]),
            (1, lambda: ["GETEX", k(), *self.maybe([["PERSIST"], self.end()])]),
            (1, lambda: ["GETSET", k(), self.value()]),
            (1, lambda: ["SETNX", k(), self.value()]),
            (1, lambda: [self.one(["SETEX", "PSETEX"]), k(), FAR * 1000, self.value()]),
            (1, lambda: ["MSET", *[x for _ in range(self.number(1, 3)) for x in (k(), self.value())]]),
            (1, lambda: ["MSETNX", *[x for _ in range(self.number(1, 2)) for x in (k(), self.value())]]),
            (1, lambda: ["MGET", k(), k(), k()]),
            (1, lambda: ["LCS", k(), k(), *self.maybe([["LEN"], ["IDX"], ["IDX", "MINMATCHLEN", 2, "WITHMATCHLEN"]])]),
            (1, lambda: ["SUBSTR", k(), self.number(), self.number()]),
        ]

    def bits(self):
        k = lambda: self.key("s")
        unit = lambda: self.maybe(["BYTE", "BIT"])
        field = lambda: self.one(["u4", "i5", "u8", "i16", "u63", "i64", "u1"])
        return [
            (1, lambda: ["SETBIT", k(), self.number(0, 200), self.number(0, 1)]),
            (1, lambda: ["GETBIT", k(), self.number(0, 200)]),
            (1, lambda: ["BITCOUNT", k(), *self.maybe([[self.number(), self.number(), *unit()]])]),
            (1, lambda: ["BITPOS", k(), self.number(0, 1), *self.maybe([[self.number()], [self.number(), self.number(), *unit()]])]),
            (1, lambda: ["BITOP", self.one(["AND", "OR", "XOR", "NOT"]), k(), k(), *self.maybe([[k()], [k(), k()]])]),
            (1, lambda: ["BITFIELD", k(), "GET", field(), self.number(0, 60), "SET", field(), f"#{self.number(0, 6)}", self.number(-40, 40),
                         "OVERFLOW", self.one(["WRAP", "SAT", "FAIL"]), "INCRBY", field(), self.number(0, 60), self.number(-9, 9)]),
            (1, lambda: ["BITFIELD_RO", k(), "GET", field(), self.number(0, 60)]),
        ]

    def keys(self):
        k = lambda: self.key(self.one("shlSzg"))
        return [
            (2, lambda: ["DEL", *[k() for _ in range(self.number(1, 3))]]),
            (1, lambda: ["UNLINK", k(), k()]),
            (1, lambda: [self.one(["EXISTS", "TOUCH"]), k(), k(), k()]),
            (1, lambda: ["TYPE", k()]),
            # Each end once: which of two equal ones comes later is for the clock to say.
            (2, lambda: [self.one(["EXPIRE", "PEXPIRE"]), k(), self.one([self.far(), self.far() * 1000, -1]), *self.maybe(["NX", "XX", "GT", "LT"])]),
            (1, lambda: ["EXPIREAT", k(), self.now + FAR * self.number(1, 9), *self.maybe(["NX", "XX", "GT", "LT"])]),
            (1, lambda: ["PEXPIREAT", k(), (self.now + FAR) * 1000]),
            (2, lambda: [self.one(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), k()]),
            (1, lambda: ["PERSIST", k()]),
            (1, lambda: [self.one(["RENAME", "RENAMENX"]), *self.two_of_a_kind()]),
            (1, lambda: ["COPY", *self.two_of_a_kind(), *self.maybe([["REPLACE"], ["DB", 1], ["DB", 1, "REPLACE"]])]),
            (1, lambda: ["MOVE", k(), 1]),
            (1, lambda: ["RANDOMKEY"]),
            (1, lambda: ["KEYS", self.one(["*", "s*", "?1", "{t}*", "[hl]?", "none"])]),
            (1, lambda: ["SCAN", 0, *self.maybe([["MATCH", "*1"], ["COUNT", 5], ["TYPE", self.one(["string", "hash", "list", "set", "zset"])]])]),
            (1, lambda: ["SORT", self.key(self.one("lSz")), *self.maybe([["LIMIT", self.number(0, 3), self.number(-1, 5)]]),
                         *self.options("DESC", "ALPHA"), *self.maybe([["GET", "#"], ["GET", "s*"], ["GET", "#", "GET", "h*->a"]])]),
            (1, lambda: ["SORT", self.key(self.one("lSz")), "ALPHA", "STORE", self.key("l")]),
            (1, lambda: ["X-CROSS", k()]),
        ]

    def two_of_a_kind(self):
        kind = self.one("shlSzg")
        return [self.key(kind), self.key(kind)]

    def hashes(self):
        k = lambda: self.key("h")
        return [
            (4, lambda: ["HSET", k(), *[x for _ in range(self.number(1, 4)) for x in (self.member(), self.value())]]),
            (1, lambda: ["HMSET", k(), self.member(), self.value()]),
            (1, lambda: ["HSETNX", k(), self.member(), self.value()]),
            (2, lambda: ["HGET", k(), self.member()]),
            (1, lambda: ["HMGET", k(), *self.members()]),
            (2, lambda: ["HDEL", k(), *self.members()]),
            (1, lambda: [self.one(["HEXISTS", "HSTRLEN"]), k(), self.member()]),
            (2, lambda: [self.one(["HGETALL", "HKEYS", "HVALS", "HLEN"]), k()]),
            (2, lambda: ["HINCRBY", k(), self.member(), self.number(-50, 50)]),
            (1, lambda: ["HINCRBYFLOAT", k(), self.member(), self.one([0.1, 2.5, -1, "1e2"])]),
            (1, lambda: ["HRANDFIELD", k(), *self.maybe([[self.number(-5, 9)], [self.number(-5, 9), "WITHVALUES"]])]),
            (1, lambda: ["HSCAN", k(), 0, *self.maybe([["MATCH", "*a*"], ["COUNT", 3]])]),
        ]

    def lists(self):
        k = lambda: self.key("l")
        side = lambda: self.one(["LEFT", "RIGHT"])
        return [
            (5, lambda: [self.one(["LPUSH", "RPUSH"]), k(), *self.members()]),
            (1, lambda: [self.one(["LPUSHX", "RPUSHX"]), k(), *self.members()]),
            (3, lambda: [self.one(["LPOP", "RPOP"]), k(), *self.maybe([[self.number(-1, 5)]])]),
            (1, lambda: ["LLEN", k()]),
            (2, lambda: ["LRANGE", k(), self.number(), self.number()]),
            (1, lambda: ["LINDEX", k(), self.number(-9, 9)]),
            (1, lambda: ["LSET", k(), self.number(-5, 5), self.member()]),
            (1, lambda: ["LINSERT", k(), self.one(["BEFORE", "AFTER"]), self.member(), self.member()]),
            (1, lambda: ["LREM", k(), self.number(-3, 3), self.member()]),
            (1, lambda: ["LTRIM", k(), self.number(-20, 3), self.number(-3, 40)]),
            (1, lambda: ["LPOS", k(), self.member(), *self.options(["RANK", self.number(-3, 3)], ["COUNT", self.number(0, 3)], ["MAXLEN", self.number(0, 9)])]),
            (1, lambda: ["LMOVE", k(), k(), side(), side()]),
            (1, lambda: ["RPOPLPUSH", k(), k()]),
            (1, lambda: ["LMPOP", 2, k(), k(), side(), *self.maybe([["COUNT", self.number(0, 4)]])]),
            (1, lambda: [self.one(["BLPOP", "BRPOP"]), k(), k(), "0.001"]),
            (1, lambda: ["BLMPOP", "0.001", 2, k(), k(), side(), *self.maybe([["COUNT", 2]])]),
            (1, lambda: ["BLMOVE", k(), k(), side(), side(), "0.001"]),
            (1, lambda: ["BRPOPLPUSH", k(), k(), "0.001"]),
        ]

    def sets(self):
        k = lambda: self.key("S")
        return [
            (5, lambda: ["SADD", k(), *self.members(8)]),
            (2, lambda: ["SREM", k(), *self.members()]),
            (1, lambda: ["SISMEMBER", k(), self.member()]),
            (1, lambda: ["SMISMEMBER", k(), *self.members()]),
            (1, lambda: [self.one(["SCARD", "SMEMBERS"]), k()]),
            (1, lambda: ["SPOP", k(), *self.maybe([[self.number(-1, 4)]])]),
            (1, lambda: ["SRANDMEMBER", k(), *self.maybe([[self.number(-5, 9)]])]),
            (1, lambda: ["SMOVE", k(), k(), self.member()]),
            (2, lambda: [self.one(["SUNION", "SINTER", "SDIFF"]), k(), *self.maybe([[k()], [k(), k()]])]),
            (1, lambda: [self.one(["SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"]), k(), k(), k()]),
            (1, lambda: ["SINTERCARD", 2, k(), k(), *self.maybe([["LIMIT", self.number(0, 3)]])]),
            (1, lambda: ["SSCAN", k(), 0, *self.maybe([["MATCH", "m*"], ["COUNT", 3]])]),
        ]

    def zsets(self):
        k = lambda: self.key("z")
        limit = lambda: self.maybe([["LIMIT", self.number(0, 4), self.number(-1, 5)]])
        combine = lambda: [*self.maybe([["WEIGHTS", self.number(-2, 3), self.number(-2, 3)]]), *self.maybe([["AGGREGATE", self.one(["SUM", "MIN", "MAX"])]])]
        scores = lambda: self.maybe(["WITHSCORES"])
        return [
            (6, lambda: ["ZADD", k(), *self.options(self.one(["NX", "XX"]), self.one(["GT", "LT"]), "CH"),
                         *[x for _ in range(self.number(1, 5)) for x in (self.score(), self.member())]]),
            (1, lambda: ["ZADD", k(), "INCR", self.score(), self.member()]),
            (2, lambda: ["ZINCRBY", k(), self.score(), self.member()]),
            (2, lambda: ["ZREM", k(), *self.members()]),
            (1, lambda: ["ZCARD", k()]),
            (2, lambda: [self.one(["ZSCORE", "ZRANK", "ZREVRANK"]), k(), self.member()]),
            (1, lambda: ["ZMSCORE", k(), *self.members()]),
            (1, lambda: ["ZCOUNT", k(), self.bound(), self.bound()]),
            (2, lambda: [self.one(["ZRANGE", "ZREVRANGE"]), k(), self.number(), self.number(), *scores()]),
            (1, lambda: ["ZRANGE", k(), self.bound(), self.bound(), "BYSCORE", *self.options("REV"), *limit(), *scores()]),
            (1, lambda: [self.one(["ZRANGEBYSCORE", "ZREVRANGEBYSCORE"]), k(), self.bound(), self.bound(), *scores(), *limit()]),
            (1, lambda: [self.one(["ZPOPMIN", "ZPOPMAX"]), k(), *self.maybe([[self.number(-1, 3)]])]),
            (1, lambda: ["ZMPOP", 2, k(), k(), self.one(["MIN", "MAX"]), *self.maybe([["COUNT", self.number(0, 3)]])]),
            (1, lambda: [self.one(["BZPOPMIN", "BZPOPMAX"]), k(), k(), "0.001"]),
            (1, lambda: ["BZMPOP", "0.001", 2, k(), k(), self.one(["MIN", "MAX"])]),
            (1, lambda: ["ZREMRANGEBYRANK", k(), self.number(-3, 3), self.number(-3, 3)]),
            (1, lambda: ["ZREMRANGEBYSCORE", k(), self.number(-5, 5), self.number(-5, 5)]),
            (1, lambda: [self.one(["ZUNION", "ZINTER"]), 2, k(), self.key(self.one("zS")), *combine(), *scores()]),
            (1, lambda: ["ZDIFF", 2, k(), k(), *scores()]),
            (1, lambda: [self.one(["ZUNIONSTORE", "ZINTERSTORE"]), k(), 2, k(), self.key(self.one("zS")), *combine()]),
            (1, lambda: ["ZDIFFSTORE", k(), 2, k(), k()]),
            (1, lambda: ["ZINTERCARD", 2, k(), k(), *self.maybe([["LIMIT", self.number(0, 3)]])]),
            (1, lambda: ["ZRANGESTORE", k(), k(), self.number(), self.number(), *self.options("REV")]),
            (1, lambda: ["ZRANDMEMBER", k(), *self.maybe([[self.number(-5, 9)], [self.number(-5, 9), "WITHSCORES"]])]),
            (1, lambda: ["ZSCAN", k(), 0, *self.maybe([["MATCH", "*a*"], ["COUNT", 3]])]),
            # Of one score: of others Redis promises no order.
            (2, lambda: ["ZADD", "lex", *[x for _ in range(self.number(1, 4)) for x in (0, self.member())]]),
            (1, lambda: ["ZREM", "lex", *self.members()]),
            (1, lambda: [self.one(["ZRANGEBYLEX", "ZREVRANGEBYLEX"]), "lex", self.lex(), self.lex(), *limit()]),
            (1, lambda: [self.one(["ZLEXCOUNT", "ZREMRANGEBYLEX"]), "lex", self.lex(), self.lex()]),
        ]

    def places(self):
        k = lambda: self.key("g")
        at = lambda: [round(self.random.uniform(10, 15), 4), round(self.random.uniform(36, 42), 4)]
        shape = lambda: self.one([["BYRADIUS", self.number(1, 500), self.one(["km", "m", "mi", "ft"])], ["BYBOX", self.number(1, 800), self.number(1, 800), "km"]])
        center = lambda: self.one([["FROMMEMBER", self.one(PLACES)], ["FROMLONLAT", *at()]])
        return [
            (2, lambda: ["GEOADD", k(), *self.options(self.one(["NX", "XX"]), "CH"), *at(), self.one(PLACES)]),
            (1, lambda: ["GEODIST", k(), self.one(PLACES), self.one(PLACES), *self.maybe(["km", "mi", "ft"])]),
            (1, lambda: [self.one(["GEOPOS", "GEOHASH"]), k(), self.one(PLACES), self.one(PLACES)]),
            (1, lambda: ["GEOSEARCH", k(), *center(), *shape(), self.one(["ASC", "DESC"]), *self.maybe([["COUNT", 2]]), *self.options("WITHCOORD", "WITHDIST", "WITHHASH")]),
            (1, lambda: ["GEOSEARCHSTORE", k(), k(), *center(), *shape(), *self.maybe(["STOREDIST"])]),
            (1, lambda: ["GEORADIUS", k(), *at(), self.number(1, 500), "km", "ASC", *self.options("WITHDIST")]),
        ]

    def sketches(self):
        k = lambda: f"p{self.number(0, 4)}"
        return [
            (1, lambda: ["PFADD", k(), *[f"e{self.number(0, 3000)}" for _ in range(self.number(0, 20))]]),
            (1, lambda: ["PFCOUNT", k(), *self.maybe([[k()], [k(), k()]])]),
            (1, lambda: ["PFMERGE", k(), k(), k()]),
        ]
