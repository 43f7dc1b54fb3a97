#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace orrery {

/// A coverage mark: a rare path that the simulation's seeds must reach. Costs one thread-local increment on a rare path.
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
#define ORRERY_MARK(name)                     \
  do {                                        \
    static ::orrery::Mark orrery_mark(name);  \
    orrery_mark.Hit();                        \
  } while (false)
#else
#define ORRERY_MARK(name) \
  do {                    \
  } while (false)
#endif
