#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace orrery {

/// A coverage mark: a rare path that the simulation's seeds must reach. Costs one increment on a rare path.
/// Write ORRERY_MARK("hint after gap") where the rare thing happens; the simulation prints the marks never hit.
class Mark {
 public:
  explicit Mark(const char* name);
  void Hit() { ++hits_; }
  uint64_t hits() const { return hits_; }

  /// Every mark that was reached in this process or announced, with its count. For tests, single-threaded.
  static std::map<std::string, uint64_t> All();
  static void ResetAll();

 private:
  const char* name_;
  uint64_t hits_ = 0;
};

/// A deliberate mistake that the simulation's checkers must catch. Always false unless built with ORRERY_MUTATIONS and
/// switched on by name, so production code pays nothing.
#ifdef ORRERY_MUTATIONS
bool MutationEnabled(const char* name);
void EnableMutation(const std::string& name);
#define ORRERY_MUTATION(name) (::orrery::MutationEnabled(name))
#else
#define ORRERY_MUTATION(name) (false)
#endif

}  // namespace orrery

#ifdef ORRERY_MARKS
namespace orrery {

/// A mark's name as a template argument, so that every mark is known from the start of the program, hit or not.
template <size_t kBytes>
struct MarkName {
  constexpr MarkName(const char (&name)[kBytes]) {  // NOLINT(google-explicit-constructor)
    for (size_t i = 0; i < kBytes; ++i) text[i] = name[i];
  }
  char text[kBytes] = {};
};

template <MarkName kName>
struct AnnouncedMark {
  static inline Mark mark{kName.text};
};

}  // namespace orrery

#define ORRERY_MARK(name) (::orrery::AnnouncedMark<name>::mark.Hit())
#else
#define ORRERY_MARK(name) \
  do {                    \
  } while (false)
#endif
