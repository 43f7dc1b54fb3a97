#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

constexpr int kPeerPortOffset = 10000;
constexpr int64_t kMemoryGrowthBytesMax = int64_t{96} << 20;

// A connection on which anything may be sent.
class RawClient {
 public:
  explicit RawClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval timeout{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  // False once the other side has closed.
  bool Send(const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<size_t>(n);
    }
    return true;
  }
  struct End {
    std::string said;
    bool closed = false;  // false: it was still open when the time was up
  };
  End ReadToEnd() {
    End end;
    char buffer[4096];
    for (;;) {
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n > 0) {
        end.said.append(buffer, static_cast<size_t>(n));
        continue;
      }
      end.closed = n == 0 || errno == ECONNRESET;
      return end;
    }
  }

 private:
  int fd_;
};

int64_t ResidentBytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::atoll(line.c_str() + 6) * 1024;
  }
  return 0;
}

struct Garbage {
  std::string name;
  std::string bytes;
  std::string error;  ///< what the reply contains before the connection is closed
};

const Garbage kClientGarbage[] = {
    {"NegativeBulk", "*2\r\n$3\r\nGET\r\n$-5\r\n", "invalid bulk length"},
    {"BulkBeyondLimit", "*2\r\n$3\r\nGET\r\n$9999999999\r\n", "invalid bulk length"},
    {"MultibulkBeyondLimit", "*2147483648\r\n", "invalid multibulk length"},
    {"MultibulkNotANumber", "*12a\r\n", "invalid multibulk length"},
    {"NoBulkMarker", "*1\r\n:4\r\n", "expected '$', got ':'"},
    {"EndlessLine", std::string(200'000, 'x'), "too big inline request"},
    {"EndlessCount", "*" + std::string(200'000, '1'), "too big mbulk count string"},
    {"EndlessBulkLength", "*1\r\n$" + std::string(200'000, '1'), "too big bulk count string"},
    {"UnbalancedQuotes", "SET \"k v\r\n", "unbalanced quotes"},
};

// A well-formed first message, as docs/peer-link.md has it, of a node that does not belong here.
const std::string kMagic = "\xd0ORRERY\n";
std::string Hello(char version, const std::string& cluster) {
  std::string body{version, version, static_cast<char>(cluster.size())};
  body += cluster + std::string(8, '\x11') + std::string(8, '\x01');
  body += std::string("\x00\x00\x01\x00", 4) + std::string(32, 'n');
  return kMagic + '\x01' + static_cast<char>(body.size()) + '\0' + body;
}
std::string Refusal(char reason) {
  return kMagic + std::string("\x05\x09\x00", 3) + reason;
}

// Those who do not greet as a node does are told nothing; other nodes are told why.
const Garbage kPeerGarbage[] = {
    {"Http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
    {"Resp", "*1\r\n$4\r\nPING\r\n", ""},
    {"Zeros", std::string(4096, '\0'), ""},
    {"EndlessText", std::string(200'000, 'x'), ""},
    {"MagicAlone", kMagic, ""},
    {"UnknownKind", kMagic + std::string("\x63\x01\x00z", 4), ""},
    {"HelloTooLong", kMagic + std::string("\x01\xff\xff", 3) + std::string(1000, 'h'), ""},
    {"HelloOfZeros", kMagic + std::string("\x01\x50\x00", 3) + std::string(80, '\0'), ""},
    {"HelloThatStops", kMagic + std::string("\x01\x50\x00\x01\x01", 5), ""},
    {"ProofFirst", kMagic + std::string("\x03\x30\x00", 3) + std::string(48, 'p'), ""},
    {"OtherVersion", Hello(9, "orrery"), Refusal(2)},
    {"OtherCluster", Hello(2, "other"), Refusal(3)},
};

class GarbageTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(nodes_.WaitUntilServing());
    ASSERT_EQ(bystander_.Run({"SET", "k", "v"}), "OK");
    resident_ = ResidentBytes(nodes_.pid(0));
  }
  void ExpectUndisturbed() {
    EXPECT_EQ(bystander_.Run({"GET", "k"}), "v");
    EXPECT_EQ(bystander_.Run({"INCR", "n"}), std::to_string(++counted_));
    EXPECT_LT(ResidentBytes(nodes_.pid(0)) - resident_, kMemoryGrowthBytesMax);
  }
  int PeerPort() const { return nodes_.port(0) + kPeerPortOffset; }

  Processes nodes_{3, {}};
  Client bystander_{nodes_.port(0)};
  int64_t resident_ = 0;
  int counted_ = 0;
};

TEST_F(GarbageTest, OnTheClientPortIsAnsweredAndClosed) {
  for (const Garbage& garbage : kClientGarbage) {
    SCOPED_TRACE(garbage.name);
    RawClient bad(nodes_.port(0));
    bad.Send(garbage.bytes);
    const RawClient::End end = bad.ReadToEnd();
    EXPECT_TRUE(end.closed);
    EXPECT_TRUE(end.said.starts_with("-ERR Protocol error: " + garbage.error)) << end.said;
    ExpectUndisturbed();
  }
}

TEST_F(GarbageTest, OnThePeerPortIsRefusedAndClosed) {
  for (const Garbage& garbage : kPeerGarbage) {
    SCOPED_TRACE(garbage.name);
    RawClient bad(PeerPort());
    bad.Send(garbage.bytes);
    const RawClient::End end = bad.ReadToEnd();
    EXPECT_TRUE(end.closed);
    EXPECT_TRUE(garbage.error.empty() ? end.said.empty() : end.said.starts_with(garbage.error))
        << testing::PrintToString(end.said);
    ExpectUndisturbed();
  }
}

// Two hundred connections each announce half a gigabyte and send a little: what is announced costs nothing.
TEST_F(GarbageTest, AnnouncedBulksTakeNoMemory) {
  std::vector<RawClient> bad;
  for (int i = 0; i < 200; ++i) {
    bad.emplace_back(nodes_.port(0));
    EXPECT_TRUE(bad.back().Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n" + std::string(1000, 'x')));
    EXPECT_TRUE(bad.emplace_back(nodes_.port(0)).Send("*1000000\r\n$1\r\nx\r\n"));
  }
  ExpectUndisturbed();
}

// More strangers on the peer port than it keeps, all of them silent.
TEST_F(GarbageTest, SilentStrangersOnThePeerPortKeepNobodyOut) {
  std::vector<RawClient> silent;
  for (int i = 0; i < 300; ++i) silent.emplace_back(PeerPort());
  nodes_.Crash(2);
  nodes_.Start(2);
  EXPECT_TRUE(nodes_.WaitUntilServing());
  ExpectUndisturbed();
}

TEST_F(GarbageTest, RandomBytesOnBothPortsDisturbNobody) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string bytes(random() % 3 == 0 ? kMagic : "*3\r\n$");
    const size_t length = random() % 600;
    for (size_t i = 0; i < length; ++i) bytes += static_cast<char>(random());
    RawClient(round % 2 == 0 ? nodes_.port(0) : PeerPort()).Send(bytes);
  }
  ExpectUndisturbed();
  EXPECT_TRUE(nodes_.WaitUntilServing());
}

}  // namespace
}  // namespace orrery::cluster
