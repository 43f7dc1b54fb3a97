#include "orrery/resp/reply_writer.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace orrery::resp {
namespace {

using Write = std::function<void(ReplyWriter&)>;

std::string Written(Protocol protocol, const Write& write) {
  std::string out;
  ReplyWriter writer(&out, protocol);
  write(writer);
  return out;
}

struct WriterCase {
  const char* name;
  Write write;
  std::string resp2;
  std::string resp3;
};

class ReplyWriterTypeTest : public testing::TestWithParam<WriterCase> {};

TEST_P(ReplyWriterTypeTest, WritesBothProtocols) {
  const WriterCase& c = GetParam();
  EXPECT_EQ(Written(Protocol::kResp2, c.write), c.resp2);
  EXPECT_EQ(Written(Protocol::kResp3, c.write), c.resp3);
}

const WriterCase kCases[] = {
    {"Ok", [](auto& w) { w.Ok(); }, "+OK\r\n", "+OK\r\n"},
    {"SimpleString", [](auto& w) { w.SimpleString("PONG"); }, "+PONG\r\n", "+PONG\r\n"},
    {"Error", [](auto& w) { w.Error("ERR no"); }, "-ERR no\r\n", "-ERR no\r\n"},
    {"ErrorQuotingLineBreaks", [](auto& w) { w.Error("ERR 'a\r\nb'"); }, "-ERR 'a  b'\r\n",
     "-ERR 'a  b'\r\n"},
    {"Integer", [](auto& w) { w.Integer(-42); }, ":-42\r\n", ":-42\r\n"},
    {"SmallestInteger", [](auto& w) { w.Integer(std::numeric_limits<int64_t>::min()); },
     ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
    {"Double", [](auto& w) { w.Double(0.1); }, "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n"},
    {"WholeDouble", [](auto& w) { w.Double(3); }, "$1\r\n3\r\n", ",3\r\n"},
    {"InfiniteDouble", [](auto& w) { w.Double(-std::numeric_limits<double>::infinity()); }, "$4\r\n-inf\r\n",
     ",-inf\r\n"},
    {"LongDouble", [](auto& w) { w.LongDouble(10.6L); }, "$4\r\n10.6\r\n", ",10.6\r\n"},
    {"True", [](auto& w) { w.Bool(true); }, ":1\r\n", "#t\r\n"},
    {"False", [](auto& w) { w.Bool(false); }, ":0\r\n", "#f\r\n"},
    {"BigNumber", [](auto& w) { w.BigNumber("-123456789012345678901"); }, "$22\r\n-123456789012345678901\r\n",
     "(-123456789012345678901\r\n"},
    {"BulkString", [](auto& w) { w.BulkString("a\r\nb"); }, "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
    {"EmptyBulkString", [](auto& w) { w.BulkString(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
    {"BulkInteger", [](auto& w) { w.BulkInteger(-100); }, "$4\r\n-100\r\n", "$4\r\n-100\r\n"},
    {"Verbatim", [](auto& w) { w.Verbatim("txt", "a\nb"); }, "$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n"},
    {"BlobError", [](auto& w) { w.BlobError("ERR a\nb"); }, "-ERR a b\r\n", "!7\r\nERR a\nb\r\n"},
    {"Null", [](auto& w) { w.Null(); }, "$-1\r\n", "_\r\n"},
    {"NullArray", [](auto& w) { w.NullArray(); }, "*-1\r\n", "_\r\n"},
    {"Array", [](auto& w) { w.Array(2); }, "*2\r\n", "*2\r\n"},
    {"Map", [](auto& w) { w.Map(2); }, "*4\r\n", "%2\r\n"},
    {"Set", [](auto& w) { w.Set(2); }, "*2\r\n", "~2\r\n"},
    {"Push", [](auto& w) { w.Push(3); }, "*3\r\n", ">3\r\n"},
    {"Raw", [](auto& w) { w.Raw("+OK\r\n"); }, "+OK\r\n", "+OK\r\n"},
};

INSTANTIATE_TEST_SUITE_P(Types, ReplyWriterTypeTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TEST(ReplyWriterTest, AttributesAreLeftOutOfResp2) {
  const Write write = [](ReplyWriter& w) {
    if (w.Attribute(1)) {
      w.SimpleString("ttl");
      w.Integer(5);
    }
    w.Ok();
  };
  EXPECT_EQ(Written(Protocol::kResp2, write), "+OK\r\n");
  EXPECT_EQ(Written(Protocol::kResp3, write), "|1\r\n+ttl\r\n:5\r\n+OK\r\n");
}

TEST(ReplyWriterTest, InsertsTheHeaderOfAnArrayCountedLate) {
  const auto write = [](void (ReplyWriter::*insert)(size_t, size_t)) {
    return [insert](ReplyWriter& w) {
      w.Ok();
      const size_t position = w.Position();
      w.Integer(1);
      w.Integer(2);
      (w.*insert)(position, insert == &ReplyWriter::InsertMap ? 1 : 2);
    };
  };
  EXPECT_EQ(Written(Protocol::kResp2, write(&ReplyWriter::InsertArray)), "+OK\r\n*2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(Written(Protocol::kResp2, write(&ReplyWriter::InsertMap)), "+OK\r\n*2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(Written(Protocol::kResp3, write(&ReplyWriter::InsertMap)), "+OK\r\n%1\r\n:1\r\n:2\r\n");
  EXPECT_EQ(Written(Protocol::kResp3, write(&ReplyWriter::InsertSet)), "+OK\r\n~2\r\n:1\r\n:2\r\n");
}

}  // namespace
}  // namespace orrery::resp
