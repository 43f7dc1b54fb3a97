#include "orrery/types/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "orrery/base/codec.h"

namespace orrery::types {
namespace {

constexpr std::string_view kMagic = "HYLL";
constexpr size_t kHeaderBytes = 16;
constexpr char kDenseMark = 0;
constexpr char kSparseMark = 1;
constexpr char kOutdated = static_cast<char>(0x80);

constexpr int kIndexBits = 14;
constexpr int kRegisterBits = 6;
constexpr size_t kDenseBytes = HyperLogLog::kRegisters * kRegisterBits / 8;
/// Bits of a hash that are left for the run of zeros.
constexpr int kRunBits = 64 - kIndexBits;
constexpr uint64_t kHashSeed = 0xadc83b19;

// Sparse runs.
constexpr uint8_t kValueBit = 0x80;
constexpr uint8_t kLongZerosBit = 0x40;
constexpr size_t kShortZerosMax = 64;
constexpr size_t kValueRunMax = 4;
constexpr uint8_t kSparseValueMax = 32;

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return value;
}

/// Ertl's sigma: what registers that are still zero say.
double ZerosTerm(double share) {
  if (share == 1) return std::numeric_limits<double>::infinity();
  double power = share;
  double weight = 1;
  double sum = share;
  for (double before = -1; before != sum;) {
    before = sum;
    power *= power;
    sum += power * weight;
    weight += weight;
  }
  return sum;
}

/// Ertl's tau: what registers that can grow no more say.
double FullTerm(double rest) {
  if (rest == 0 || rest == 1) return 0;
  double root = rest;
  double weight = 1;
  double sum = 1 - rest;
  for (double before = -1; before != sum;) {
    before = sum;
    root = std::sqrt(root);
    weight *= 0.5;
    sum -= std::pow(1 - root, 2) * weight;
  }
  return sum / 3;
}

}  // namespace

uint64_t MurmurHash64A(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  uint64_t hash = seed ^ (bytes.size() * kMultiplier);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t block = LittleEndian(bytes.substr(0, 8)) * kMultiplier;
    block = (block ^ (block >> kShift)) * kMultiplier;
    hash = (hash ^ block) * kMultiplier;
  }
  if (!bytes.empty()) hash = (hash ^ LittleEndian(bytes)) * kMultiplier;
  hash = (hash ^ (hash >> kShift)) * kMultiplier;
  return hash ^ (hash >> kShift);
}

bool HyperLogLog::LooksLikeOne(std::string_view text) {
  if (text.size() < kHeaderBytes || !text.starts_with(kMagic)) return false;
  const char encoding = text[kMagic.size()];
  if (encoding == kDenseMark) return text.size() == kHeaderBytes + kDenseBytes;
  return encoding == kSparseMark;
}

std::optional<HyperLogLog> HyperLogLog::Parse(std::string_view text) {
  HyperLogLog parsed;
  parsed.dense_ = text[kMagic.size()] == kDenseMark;
  text.remove_prefix(kHeaderBytes);
  const bool whole = parsed.dense_ ? parsed.ReadDense(text) : parsed.ReadSparse(text);
  return whole ? std::optional(parsed) : std::nullopt;
}

// Four registers are three bytes.
bool HyperLogLog::ReadDense(std::string_view bytes) {
  if (bytes.size() != kDenseBytes) return false;
  const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());
  for (uint8_t* out = registers_.data(); out != registers_.data() + kRegisters; out += 4, in += 3) {
    out[0] = in[0] & 0x3f;
    out[1] = static_cast<uint8_t>(in[0] >> 6 | (in[1] & 0x0f) << 2);
    out[2] = static_cast<uint8_t>(in[1] >> 4 | (in[2] & 0x03) << 4);
    out[3] = in[2] >> 2;
  }
  return true;
}

void HyperLogLog::WriteDense(std::string* text) const {
  const size_t start = text->size();
  text->resize(start + kDenseBytes);
  char* out = text->data() + start;
  for (const uint8_t* in = registers_.data(); in != registers_.data() + kRegisters; in += 4, out += 3) {
    out[0] = static_cast<char>(in[0] | in[1] << 6);
    out[1] = static_cast<char>(in[1] >> 2 | in[2] << 4);
    out[2] = static_cast<char>(in[2] >> 4 | in[3] << 2);
  }
}

bool HyperLogLog::ReadSparse(std::string_view bytes) {
  size_t at = 0;
  Decoder in(bytes);
  while (in.remaining() > 0) {
    const uint8_t head = in.GetU8();
    size_t run = (head & 0x3f) + size_t{1};
    uint8_t value = 0;
    if ((head & kValueBit) != 0) {
      value = static_cast<uint8_t>(((head >> 2) & 0x1f) + 1);
      run = (head & 3) + size_t{1};
    } else if ((head & kLongZerosBit) != 0) {
      run = ((head & size_t{0x3f}) << 8 | in.GetU8()) + 1;
    }
    if (!in.ok() || run > kRegisters - at) return false;
    std::fill_n(registers_.begin() + static_cast<ptrdiff_t>(at), run, value);
    at += run;
  }
  return at == kRegisters;
}

bool HyperLogLog::WriteSparse(std::string* out) const {
  const size_t start = out->size();
  for (size_t i = 0; i < kRegisters;) {
    const uint8_t value = registers_[i];
    if (value > kSparseValueMax || out->size() - start > kSparseBytesMax) return false;
    const size_t longest = value == 0 ? kRegisters : kValueRunMax;
    size_t run = 1;
    while (run < longest && i + run < kRegisters && registers_[i + run] == value) ++run;
    if (value != 0) {
      out->push_back(static_cast<char>(kValueBit | (value - 1u) << 2 | (run - 1)));
    } else if (run <= kShortZerosMax) {
      out->push_back(static_cast<char>(run - 1));
    } else {
      out->push_back(static_cast<char>(kLongZerosBit | (run - 1) >> 8));
      out->push_back(static_cast<char>(run - 1));
    }
    i += run;
  }
  return out->size() - start <= kSparseBytesMax;
}

std::string HyperLogLog::Text() const {
  std::string text(kMagic);
  text.resize(kHeaderBytes);
  text[kMagic.size()] = kSparseMark;
  text[kHeaderBytes - 1] = kOutdated;
  if (!dense_ && WriteSparse(&text)) return text;
  text.resize(kHeaderBytes);
  text.reserve(kHeaderBytes + kDenseBytes);
  text[kMagic.size()] = kDenseMark;
  WriteDense(&text);
  return text;
}

bool HyperLogLog::Add(std::string_view element) {
  const uint64_t hash = MurmurHash64A(element, kHashSeed);
  // The bit behind the last one ends a run that has none.
  const uint64_t rest = (hash >> kIndexBits) | uint64_t{1} << kRunBits;
  const auto run = static_cast<uint8_t>(std::countr_zero(rest) + 1);
  uint8_t& held = registers_[hash % kRegisters];
  if (held >= run) return false;
  held = run;
  return true;
}

void HyperLogLog::Join(const HyperLogLog& other) {
  for (size_t i = 0; i < kRegisters; ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
  dense_ = dense_ || other.dense_;
}

uint64_t HyperLogLog::Count() const {
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  constexpr auto kM = static_cast<double>(kRegisters);
  // Neighbours are often equal: counted in one place they would wait for each other.
  std::array<std::array<uint32_t, 64>, 4> quarters{};
  for (size_t i = 0; i < kRegisters; i += 4) {
    for (size_t k = 0; k < 4; ++k) ++quarters[k][registers_[i + k]];
  }
  std::array<uint32_t, 64> having{};
  for (const auto& quarter : quarters) {
    for (size_t value = 0; value < having.size(); ++value) having[value] += quarter[value];
  }
  double sum = kM * FullTerm((kM - having[kRunBits + 1]) / kM);
  for (size_t value = kRunBits; value >= 1; --value) sum = (sum + having[value]) * 0.5;
  sum += kM * ZerosTerm(having[0] / kM);
  return static_cast<uint64_t>(std::llround(kAlpha * kM * kM / sum));
}

}  // namespace orrery::types
