// What parsing requests and writing replies costs per command, pipelined, as on the hot path of a connection.

#include <benchmark/benchmark.h>

#include <cstring>

#include "orrery/resp/reply_scanner.h"
#include "orrery/resp/reply_writer.h"
#include "orrery/resp/request_parser.h"
#include "orrery/resp/value_parser.h"

namespace orrery::resp {
namespace {

std::string Repeated(const std::string& request, int64_t depth) {
  std::string out;
  for (int64_t i = 0; i < depth; ++i) out += request;
  return out;
}

/// One iteration: one read brings `depth` requests, all are parsed.
void ParsePipeline(benchmark::State& state, const std::string& request) {
  const std::string pipeline = Repeated(request, state.range(0));
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Command command;
  for (auto _ : state) {
    input.Append(pipeline);
    while (parser.Next(&input, &command) == RequestParser::Outcome::kCommand) {
      benchmark::DoNotOptimize(command.args.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(pipeline.size()));
}

void ParseSet(benchmark::State& state) {
  ParsePipeline(state,
                "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000012345\r\n$32\r\n" + std::string(32, 'v') + "\r\n");
}
BENCHMARK(ParseSet)->Arg(1)->Arg(16)->Arg(256);

void ParseGet(benchmark::State& state) {
  ParsePipeline(state, "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000012345\r\n");
}
BENCHMARK(ParseGet)->Arg(1)->Arg(16)->Arg(256);

void ParseInlineSet(benchmark::State& state) {
  ParsePipeline(state, "SET key:000000012345 \"some value\"\r\n");
}
BENCHMARK(ParseInlineSet)->Arg(16);

/// A large value that arrives in reads of 64 KB.
void ParseLargeSet(benchmark::State& state) {
  const std::string header = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + std::to_string(state.range(0)) + "\r\n";
  const std::string request = header + std::string(static_cast<size_t>(state.range(0)), 'v') + "\r\n";
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Command command;
  for (auto _ : state) {
    for (std::string_view rest = request; !rest.empty();) {
      const auto room = input.Prepare(parser.bytes_wanted());
      const size_t n = std::min({room.size(), rest.size(), size_t{65536}});
      std::memcpy(room.data(), rest.data(), n);
      input.Commit(n);
      rest.remove_prefix(n);
      benchmark::DoNotOptimize(parser.Next(&input, &command));
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(request.size()));
}
BENCHMARK(ParseLargeSet)->Arg(1 << 20)->Arg(16 << 20)->Arg(64 << 20);

/// One iteration: the replies of one loop turn, as they gather in a connection's output.
template <typename Write>
void WritePipeline(benchmark::State& state, Write write) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    ReplyWriter writer(&out);
    for (int64_t i = 0; i < state.range(0); ++i) write(&writer, i);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void WriteOk(benchmark::State& state) {
  WritePipeline(state, [](ReplyWriter* writer, int64_t) { writer->Ok(); });
}
BENCHMARK(WriteOk)->Arg(256);

void WriteBulk(benchmark::State& state) {
  const std::string value(32, 'v');
  WritePipeline(state, [&](ReplyWriter* writer, int64_t) { writer->BulkString(value); });
}
BENCHMARK(WriteBulk)->Arg(256);

void WriteInteger(benchmark::State& state) {
  WritePipeline(state, [](ReplyWriter* writer, int64_t i) { writer->Integer(1000000 + i); });
}
BENCHMARK(WriteInteger)->Arg(256);

void WriteDouble(benchmark::State& state) {
  WritePipeline(state, [](ReplyWriter* writer, int64_t i) { writer->Double(static_cast<double>(i) / 7); });
}
BENCHMARK(WriteDouble)->Arg(256);

/// A peer's reply to a part of MGET, taken apart to be passed on.
std::string MgetReply(int64_t n) {
  std::string out;
  ReplyWriter writer(&out);
  writer.Array(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) writer.BulkString(std::string(32, 'v'));
  return out;
}

void SpliceElements(benchmark::State& state) {
  const std::string reply = MgetReply(state.range(0));
  std::string out;
  for (auto _ : state) {
    out.clear();
    ReplyWriter writer(&out);
    ElementWalker walker(reply);
    while (const auto element = walker.Next()) writer.Raw(*element);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(SpliceElements)->Arg(100);

void ParseReplyTree(benchmark::State& state) {
  const std::string reply = MgetReply(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(ParseValue(reply));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ParseReplyTree)->Arg(100);

}  // namespace
}  // namespace orrery::resp
