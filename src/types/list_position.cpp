#include "orrery/types/list_position.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "orrery/base/codec.h"

namespace orrery::types {

using causality::Dot;

namespace {

constexpr uint8_t kZero = 128;
constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();
// One less would have no amount of its sign.
constexpr int64_t kLeast = -kGreatest;

void AppendNumber(int64_t number, std::string* out) {
  const auto amount = static_cast<uint64_t>(number < 0 ? -number : number);
  uint8_t bytes = 0;
  while (bytes < 8 && amount >> (8 * bytes) != 0) ++bytes;
  out->push_back(static_cast<char>(number < 0 ? kZero - bytes : kZero + bytes));
  const uint64_t shown = number < 0 ? ~amount : amount;
  for (size_t i = bytes; i-- > 0;) out->push_back(static_cast<char>(shown >> (8 * i)));
}

int64_t GetNumber(Decoder* in) {
  const int head = in->GetU8() - kZero;
  const auto bytes = static_cast<size_t>(head < 0 ? -head : head);
  if (bytes > 8) return in->Fail(), 0;
  uint64_t amount = 0;
  for (size_t i = 0; i < bytes; ++i) {
    const uint8_t byte = in->GetU8();
    amount = (amount << 8) | (head < 0 ? static_cast<uint8_t>(~byte) : byte);
  }
  if (amount > static_cast<uint64_t>(kGreatest)) return in->Fail(), 0;
  return head < 0 ? -static_cast<int64_t>(amount) : static_cast<int64_t>(amount);
}

/// A step of a path.
struct Step {
  int64_t number = 0;
  std::string_view bytes;
};

/// The step at the beginning of what is left of a path; nullopt behind the last one, and then *ok says
/// whether there is nothing else.
std::optional<Step> FirstStep(std::string_view path, bool* ok) {
  if (path.empty()) return std::nullopt;
  Decoder in(path);
  const int64_t number = GetNumber(&in);
  causality::DecodeDot(&in);
  if (!in.ok()) {
    *ok = false;
    return std::nullopt;
  }
  return Step{number, path.substr(0, path.size() - in.remaining())};
}

std::string PathOf(std::string_view prefix, int64_t number, const Dot& dot) {
  std::string path;
  path.reserve(prefix.size() + 24);
  path.append(prefix);
  AppendNumber(number, &path);
  Encoder out(&path);
  causality::Encode(dot, &out);
  return path;
}

/// Behind all that goes on from the first `shared` bytes of left, which go on there themselves or end.
std::optional<std::string> BehindWithin(std::string_view left, size_t shared, const Dot& dot) {
  bool ok = true;
  while (const auto step = FirstStep(left.substr(shared), &ok)) {
    if (step->number < kGreatest) return PathOf(left.substr(0, shared), step->number + 1, dot);
    shared += step->bytes.size();
  }
  if (!ok) return std::nullopt;
  return PathOf(left, 0, dot);
}

std::optional<std::string> BeforeFirst(std::string_view right, const Dot& dot) {
  size_t shared = 0;
  bool ok = true;
  while (const auto step = FirstStep(right.substr(shared), &ok)) {
    if (step->number > kLeast) return PathOf(right.substr(0, shared), step->number - 1, dot);
    shared += step->bytes.size();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> PositionBetween(std::optional<std::string_view> before,
                                           std::optional<std::string_view> behind, const Dot& dot) {
  if (!before) return behind ? BeforeFirst(*behind, dot) : PathOf({}, 0, dot);
  if (!behind) return BehindWithin(*before, 0, dot);
  size_t shared = 0;
  bool ok = true;
  while (true) {
    const auto left = FirstStep(before->substr(shared), &ok);
    const auto right = FirstStep(behind->substr(shared), &ok);
    if (!ok || !right) return std::nullopt;
    if (left && left->bytes == right->bytes) {
      shared += left->bytes.size();
      continue;
    }
    if (!left) {
      const auto below = BeforeFirst(behind->substr(shared), dot);
      return below ? std::optional(std::string(*before) + *below) : std::nullopt;
    }
    if (right->number - 1 > left->number) return PathOf(before->substr(0, shared), left->number + 1, dot);
    return BehindWithin(*before, shared + left->bytes.size(), dot);
  }
}

}  // namespace orrery::types
