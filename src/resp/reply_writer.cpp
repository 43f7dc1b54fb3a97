#include "orrery/resp/reply_writer.h"

#include <algorithm>

#include "orrery/base/check.h"
#include "orrery/resp/numbers.h"

namespace orrery::resp {
namespace {

// So much is not moved to make room for what stands behind it.
constexpr size_t kLargeBytes = size_t{64} << 10;
constexpr size_t kHeaderMax = 1 + kIntegerTextMax + 2;

size_t FormatHeader(char type, int64_t n, char* out) {
  out[0] = type;
  const size_t size = 1 + FormatInteger(n, out + 1);
  out[size] = '\r';
  out[size + 1] = '\n';
  return size + 2;
}

}  // namespace

void ReplyWriter::Double(double value) {
  const std::string text = DoubleToText(value);
  resp3() ? Line(',', text) : BulkString(text);
}

void ReplyWriter::LongDouble(long double value) {
  const std::string text = LongDoubleToText(value);
  resp3() ? Line(',', text) : BulkString(text);
}

void ReplyWriter::Bool(bool value) {
  if (resp3()) {
    out_->append(value ? "#t\r\n" : "#f\r\n");
  } else {
    Integer(value ? 1 : 0);
  }
}

void ReplyWriter::BigNumber(std::string_view digits) {
  resp3() ? Line('(', digits) : BulkString(digits);
}

void ReplyWriter::BulkInteger(int64_t value) {
  char text[kIntegerTextMax];
  BulkString({text, FormatInteger(value, text)});
}

void ReplyWriter::Verbatim(std::string_view extension, std::string_view text) {
  if (!resp3()) return BulkString(text);
  ORRERY_CHECK(extension.size() == 3);
  Header('=', static_cast<int64_t>(text.size() + 4));
  out_->append(extension).append(1, ':').append(text).append("\r\n");
}

void ReplyWriter::BlobError(std::string_view text) {
  resp3() ? Blob('!', text) : Error(text);
}

void ReplyWriter::Null() {
  out_->append(resp3() ? "_\r\n" : "$-1\r\n");
}

void ReplyWriter::NullArray() {
  out_->append(resp3() ? "_\r\n" : "*-1\r\n");
}

bool ReplyWriter::Attribute(size_t pairs) {
  if (resp3()) Header('|', static_cast<int64_t>(pairs));
  return resp3();
}

void ReplyWriter::InsertArray(size_t position, size_t n) {
  InsertHeader(position, '*', n);
}

void ReplyWriter::InsertMap(size_t position, size_t pairs) {
  resp3() ? InsertHeader(position, '%', pairs) : InsertHeader(position, '*', 2 * pairs);
}

void ReplyWriter::InsertSet(size_t position, size_t n) {
  InsertHeader(position, resp3() ? '~' : '*', n);
}

void ReplyWriter::Line(char type, std::string_view text) {
  out_->push_back(type);
  const size_t start = out_->size();
  out_->append(text);
  std::replace_if(
      out_->begin() + static_cast<ptrdiff_t>(start), out_->end(),
      [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out_->append("\r\n");
}

void ReplyWriter::Header(char type, int64_t n) {
  char header[kHeaderMax];
  out_->append(header, FormatHeader(type, n, header));
}

void ReplyWriter::Blob(char type, std::string_view bytes) {
  Header(type, static_cast<int64_t>(bytes.size()));
  if (bytes.size() >= kLargeBytes) out_->reserve(out_->size() + bytes.size() + 2);
  out_->append(bytes).append("\r\n", 2);
}

void ReplyWriter::InsertHeader(size_t position, char type, size_t n) {
  char header[kHeaderMax];
  out_->insert(position, header, FormatHeader(type, static_cast<int64_t>(n), header));
}

}  // namespace orrery::resp
