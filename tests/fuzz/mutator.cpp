#include "fuzz/mutator.h"

#include <algorithm>
#include <cctype>

namespace orrery::fuzz {
namespace {

constexpr size_t kInputBytesMax = 64 * 1024;

/// Limits, their neighbours, and texts that only look like numbers.
const char* const kAwkwardNumbers[] = {
    "0",
    "1",
    "2",
    "9",
    "10",
    "11",
    "-0",
    "-1",
    "-2",
    "00",
    "01",
    "+1",
    " 1",
    "",
    "255",
    "256",
    "4095",
    "16384",
    "16385",
    "65535",
    "65536",
    "65537",
    "1048576",
    "1048577",
    "536870912",
    "536870913",
    "1e3",
    "0x10",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "-2147483649",
    "99999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string Mutator::Input(uint64_t n) {
  std::seed_seq sequence{seed_, seed_ >> 32, n, n >> 32};
  random_.seed(sequence);
  std::string input = AnySeed();
  for (size_t i = Below(4); i > 0; --i) input += AnySeed();
  // One in eight stays valid: what comes of valid input must keep being right, too.
  for (size_t i = Below(8); i > 0; --i) Mutate(&input);
  if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
  return input;
}

void Mutator::Mutate(std::string* input) {
  switch (Below(7)) {
    case 0:
      return ChangeByte(input);
    case 1:
      return InsertToken(input);
    case 2:
    case 3:
      return ReplaceNumber(input);
    case 4:
      return EraseRange(input);
    case 5:
      return RepeatRange(input);
    default:
      return Splice(input);
  }
}

void Mutator::ChangeByte(std::string* input) {
  if (input->empty()) return;
  char& byte = (*input)[Below(input->size())];
  byte = Below(2) == 0 ? static_cast<char>(random_()) : static_cast<char>(byte ^ (1 << Below(8)));
}

void Mutator::InsertToken(std::string* input) {
  if (seeds_->tokens.empty()) return;
  input->insert(Below(input->size() + 1), seeds_->tokens[Below(seeds_->tokens.size())]);
}

void Mutator::ReplaceNumber(std::string* input) {
  if (input->empty()) return;
  auto begin =
      std::find_if(input->begin() + static_cast<ptrdiff_t>(Below(input->size())), input->end(), IsDigit);
  const auto end = std::find_if_not(begin, input->end(), IsDigit);
  if (begin == end) return;
  while (begin != input->begin() && IsDigit(*(begin - 1))) --begin;
  const char* number = kAwkwardNumbers[Below(std::size(kAwkwardNumbers))];
  input->replace(begin, end, number);
}

void Mutator::EraseRange(std::string* input) {
  if (input->empty()) return;
  const size_t from = Below(input->size());
  // Cutting off the end is the commonest damage to a stream.
  input->erase(from, Below(4) == 0 ? std::string::npos : 1 + Below(8));
}

void Mutator::RepeatRange(std::string* input) {
  if (input->empty()) return;
  const size_t from = Below(input->size());
  const std::string range = input->substr(from, 1 + Below(24));
  const size_t times = 1 + (Below(8) == 0 ? Below(500) : Below(4));
  std::string repeated;
  for (size_t i = 0; i < times; ++i) repeated += range;
  input->insert(from, repeated);
}

void Mutator::Splice(std::string* input) {
  const std::string& other = AnySeed();
  const size_t from = Below(other.size() + 1);
  input->insert(Below(input->size() + 1), other.substr(from, Below(other.size() - from + 1)));
}

}  // namespace orrery::fuzz
