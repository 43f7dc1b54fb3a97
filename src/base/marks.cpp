#include "orrery/base/marks.h"

#include <set>
#include <vector>

namespace orrery {
namespace {

std::vector<Mark*>& Registry() {
  static std::vector<Mark*> marks;
  return marks;
}

}  // namespace

Mark::Mark(const char* name) : name_(name) { Registry().push_back(this); }

std::map<std::string, uint64_t> Mark::All() {
  std::map<std::string, uint64_t> all;
  for (const Mark* mark : Registry()) all[mark->name_] += mark->hits_;
  return all;
}

void Mark::ResetAll() {
  for (Mark* mark : Registry()) mark->hits_ = 0;
}

#ifdef ORRERY_MUTATIONS
namespace {
std::set<std::string>& Enabled() {
  static std::set<std::string> names;
  return names;
}
}  // namespace

bool MutationEnabled(const char* name) { return !Enabled().empty() && Enabled().contains(name); }
void EnableMutation(const std::string& name) { Enabled().insert(name); }
#endif

}  // namespace orrery
