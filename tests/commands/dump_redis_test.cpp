// Keys move from a real redis-server to us and back, by DUMP and RESTORE. Skipped where there is none.

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>

#include "commands/command_harness.h"
#include "orrery/resp/value_parser.h"

namespace orrery::commands {
namespace {

using Words = std::vector<std::string>;

std::vector<std::string_view> Views(const Words& words) {
  return {words.begin(), words.end()};
}

/// A redis-server of this test alone, on a socket in a folder of its own.
class RealRedis {
 public:
  RealRedis() {
    char name[] = "/tmp/orrery-dump-XXXXXX";
    folder_ = mkdtemp(name);
    const std::string socket = folder_ + "/socket";
    process_ = fork();
    if (process_ == 0) {
      execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket.c_str(), "--save", "",
             "--dir", folder_.c_str(), "--logfile", (folder_ + "/log").c_str(), nullptr);
      _exit(kNotThere);
    }
    for (int attempt = 0; attempt < 1'000 && !context_ && !Ended(); ++attempt) {
      Context context(redisConnectUnix(socket.c_str()));
      if (context && context->err == 0) context_ = std::move(context);
      if (!context_) usleep(10'000);
    }
  }
  ~RealRedis() {
    context_.reset();
    if (!ended_) {
      kill(process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }

  bool is_there() const { return context_ != nullptr; }

  /// Texts of the reply, those of an array one after the other.
  Words Run(const Words& args) {
    std::vector<const char*> texts;
    std::vector<size_t> sizes;
    for (const std::string& arg : args) {
      texts.push_back(arg.data());
      sizes.push_back(arg.size());
    }
    std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(
        static_cast<redisReply*>(
            redisCommandArgv(context_.get(), static_cast<int>(args.size()), texts.data(), sizes.data())),
        freeReplyObject);
    Words words;
    if (reply == nullptr) return words;
    for (size_t i = 0; i < reply->elements; ++i)
      words.emplace_back(reply->element[i]->str, reply->element[i]->len);
    if (reply->str != nullptr) words.emplace_back(reply->str, reply->len);
    return words;
  }

 private:
  static constexpr int kNotThere = 127;
  using Context = std::unique_ptr<redisContext, decltype([](redisContext* c) { redisFree(c); })>;

  bool Ended() {
    ended_ = ended_ || waitpid(process_, nullptr, WNOHANG) == process_;
    return ended_;
  }

  std::string folder_;
  pid_t process_ = 0;
  bool ended_ = false;
  Context context_;
};

class DumpRedisTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { redis_ = std::make_unique<RealRedis>(); }
  static void TearDownTestSuite() { redis_.reset(); }
  void SetUp() override {
    if (!redis_->is_there()) GTEST_SKIP() << "there is no redis-server";
  }

  Words RunHere(const Words& args) {
    const auto value = resp::ParseValue(harness_.RunArgs(Views(args)));
    Words words;
    if (!value.ok()) return {"malformed reply"};
    if (!value->is_aggregate()) return {std::string(value->text())};
    for (const auto& element : value->elements()) words.emplace_back(element.text());
    return words;
  }

  std::string Random(size_t size_max) {
    std::string text(random_() % (size_max + 1), '\0');
    const bool uniform = random_() % 2 == 0;
    for (char& c : text) c = static_cast<char>(uniform ? 'a' + random_() % 2 : random_());
    return text;
  }
  /// Texts of all lengths, and integers of all widths.
  std::string Text() {
    if (random_() % 3 == 0) return std::to_string(static_cast<int64_t>(random_()) >> (random_() % 64));
    return Random(random_() % 10 == 0 ? 20'000 : 100);
  }

  /// A command that makes a key of that kind, and the one that shows it.
  Words Make(const std::string& kind, const std::string& key) {
    const size_t n = 1 + random_() % (random_() % 5 == 0 ? 700 : 10);
    if (kind == "string") return {"SET", key, Text()};
    Words command = {kind == "hash"   ? "HSET"
                     : kind == "set"  ? "SADD"
                     : kind == "zset" ? "ZADD"
                                      : "RPUSH",
                     key};
    const bool integers = random_() % 2 == 0;
    for (size_t i = 0; i < n; ++i) {
      if (kind == "zset")
        command.push_back(random_() % 2 == 0 ? std::to_string(i) : "0.1" + std::to_string(random_()));
      command.push_back(integers ? std::to_string(random_() >> (random_() % 64)) : Text());
      if (kind == "hash") command.push_back(Text());
    }
    return command;
  }
  static Words Show(const std::string& kind, const std::string& key) {
    if (kind == "string") return {"GET", key};
    if (kind == "list") return {"LRANGE", key, "0", "-1"};
    if (kind == "hash") return {"HGETALL", key};
    if (kind == "set") return {"SMEMBERS", key};
    return {"ZRANGE", key, "0", "-1", "WITHSCORES"};
  }
  /// What does not depend on the order of fields and members.
  static Words Comparable(const std::string& kind, Words shown) {
    if (kind == "set") std::sort(shown.begin(), shown.end());
    if (kind != "hash") return shown;
    std::vector<std::pair<std::string, std::string>> pairs;
    for (size_t i = 0; i + 1 < shown.size(); i += 2) pairs.emplace_back(shown[i], shown[i + 1]);
    std::sort(pairs.begin(), pairs.end());
    Words sorted;
    for (const auto& [field, value] : pairs) sorted.insert(sorted.end(), {field, value});
    return sorted;
  }

  void MoveBothWays(const std::string& kind) {
    constexpr uint64_t kSeed = 20'261'123;
    SCOPED_TRACE("seed " + std::to_string(kSeed));
    random_.seed(kSeed);
    for (int i = 0; i < 150; ++i) {
      const std::string key = "k" + std::to_string(i % 3);
      const Words make = Make(kind, key);
      redis_->Run({"DEL", key});
      harness_.Run("DEL " + key);
      redis_->Run(make);
      const Words expected = Comparable(kind, redis_->Run(Show(kind, key)));
      ASSERT_EQ(RunHere({"RESTORE", key, "0", redis_->Run({"DUMP", key}).at(0)}), Words{"OK"}) << i;
      ASSERT_EQ(Comparable(kind, RunHere(Show(kind, key))), expected) << i;
      ASSERT_EQ(redis_->Run({"RESTORE", key, "0", RunHere({"DUMP", key}).at(0), "REPLACE"}), Words{"OK"})
          << i;
      ASSERT_EQ(Comparable(kind, redis_->Run(Show(kind, key))), expected) << i;
    }
  }

  static inline std::unique_ptr<RealRedis> redis_;
  CommandHarness harness_;
  std::mt19937_64 random_;
};

TEST_F(DumpRedisTest, Strings) {
  MoveBothWays("string");
}
TEST_F(DumpRedisTest, Hashes) {
  MoveBothWays("hash");
}
TEST_F(DumpRedisTest, Sets) {
  MoveBothWays("set");
}
TEST_F(DumpRedisTest, Lists) {
  MoveBothWays("list");
}
TEST_F(DumpRedisTest, SortedSets) {
  MoveBothWays("zset");
}

TEST_F(DumpRedisTest, HyperLogLogsCountTheSameOnBothSides) {
  for (const int n : {1, 100, 900, 5'000}) {
    Words add = {"PFADD", "h"};
    for (int i = 0; i < n; ++i) add.push_back("element " + std::to_string(i));
    redis_->Run({"DEL", "h"});
    harness_.Run("DEL h");
    redis_->Run(add);
    RunHere(add);
    EXPECT_EQ(RunHere({"RESTORE", "there", "0", redis_->Run({"DUMP", "h"}).at(0), "REPLACE"}), Words{"OK"});
    EXPECT_EQ(harness_.Run("PFCOUNT h"), harness_.Run("PFCOUNT there"));
    EXPECT_EQ(harness_.Run("PFCOUNT h"), harness_.Run("PFCOUNT there h"));
  }
}

}  // namespace
}  // namespace orrery::commands
