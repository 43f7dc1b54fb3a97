#include "simulation/linearizability.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "orrery/base/numbers.h"

namespace orrery::simulation {
namespace {

const std::string kNull = "$-1\r\n", kOk = "+OK\r\n", kSomeError = "-";
/// Not a command of clients: time passes this end.
const std::string kEndComes = "(end)";

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
std::string Integer(int64_t value) {
  return ":" + std::to_string(value) + "\r\n";
}

/// A key of a Redis.
struct KeyState {
  std::optional<std::string> value;
  uint64_t deadline_ms = 0;  ///< 0: none
  uint64_t now_ms = 0;       ///< the latest end that has come

  bool operator<(const KeyState& other) const {
    return std::tie(value, deadline_ms, now_ms) < std::tie(other.value, other.deadline_ms, other.now_ms);
  }

  bool visible() const { return value && (deadline_ms == 0 || deadline_ms > now_ms); }
  std::string Shown() const { return visible() ? Bulk(*value) : kNull; }
  void Set(std::string text, uint64_t end_ms = 0) {
    value = std::move(text);
    deadline_ms = end_ms;
  }
  void Drop() {
    value.reset();
    deadline_ms = 0;
  }
};

std::string Count(KeyState* state, int64_t by) {
  const auto old = state->visible() ? ParseInteger(*state->value) : std::optional<int64_t>(0);
  int64_t sum = 0;
  if (!old || __builtin_add_overflow(*old, by, &sum)) return kSomeError;
  if (!state->visible()) state->Drop();
  state->value = std::to_string(sum);
  return Integer(sum);
}

std::string SetEnd(KeyState* state, const std::string& end) {
  if (!state->visible()) return Integer(0);
  state->deadline_ms = std::stoull(end);
  return Integer(1);
}

/// What a Redis replies, and what becomes of the key.
std::string Apply(const std::vector<std::string>& args, KeyState* state) {
  const std::string& command = args[0];
  const std::string shown = state->Shown();
  const bool visible = state->visible();
  if (command == kEndComes) {
    state->now_ms = std::max<uint64_t>(state->now_ms, std::stoull(args[2]));
    return {};
  }
  if (command == "SET") {
    const bool keeps = args.size() > 3 && args[3] == "KEEPTTL" && visible;
    const uint64_t kept_ms = keeps ? state->deadline_ms : 0;
    state->Set(args[2], args.size() > 4 ? std::stoull(args[4]) : kept_ms);
    return kOk;
  }
  if (command == "INCR") return Count(state, 1);
  if (command == "DECRBY") return Count(state, -std::stoll(args[2]));
  if (command == "GETSET") return state->Set(args[2]), shown;
  if (command == "SETNX") {
    if (!visible) state->Set(args[2]);
    return Integer(visible ? 0 : 1);
  }
  if (command == "APPEND") {
    if (!visible) state->Set("");
    state->value->append(args[2]);
    return Integer(static_cast<int64_t>(state->value->size()));
  }
  if (command == "DEL") return state->Drop(), Integer(visible ? 1 : 0);
  if (command == "GETDEL") return state->Drop(), shown;
  if (command == "GETEX") return SetEnd(state, args[3]), shown;
  if (command == "PEXPIREAT") return SetEnd(state, args[2]);
  if (command == "PERSIST") {
    const bool had = visible && state->deadline_ms != 0;
    if (visible) state->deadline_ms = 0;
    return Integer(had ? 1 : 0);
  }
  return shown;  // GET
}

/// Every end that a command names comes at its instant.
void AddEnds(std::vector<KeyStep>* steps, uint64_t epoch_ms) {
  std::set<uint64_t> ends;
  for (const KeyStep& step : *steps) {
    for (size_t i = 2; i < step.args.size(); ++i) {
      if (step.args[i - 1] == "PXAT" || step.args[0] == "PEXPIREAT") ends.insert(std::stoull(step.args[i]));
    }
  }
  for (uint64_t end_ms : ends) {
    const uint64_t us = (end_ms - std::min(end_ms, epoch_ms)) * 1000;
    steps->push_back({us, us, {kEndComes, "", std::to_string(end_ms)}, ""});
  }
}

/// The search: which commands have taken their instant (all before `first`, and those in `later`), and what
/// the key is then.
class Search {
 public:
  explicit Search(std::vector<KeyStep> steps) : steps_(std::move(steps)) {
    std::stable_sort(steps_.begin(), steps_.end(),
                     [](const KeyStep& a, const KeyStep& b) { return a.invoked_us < b.invoked_us; });
  }

  std::string Run() {
    std::vector<Place> open = {{}};
    while (!open.empty()) {
      Place place = std::move(open.back());
      open.pop_back();
      Advance(&place);
      furthest_ = std::max(furthest_, place.first);
      if (place.first == steps_.size()) return {};
      if (!seen_.insert(place).second) continue;
      Expand(place, &open);
    }
    const KeyStep& step = steps_[furthest_];
    std::string text = "no order explains";
    for (const std::string& arg : step.args) text += " " + arg;
    return text + " at " + std::to_string(step.invoked_us) + " us -> " +
           step.reply.substr(0, step.reply.find('\r'));
  }

 private:
  static constexpr size_t kWindow = 64;
  struct Place {
    size_t first = 0;
    uint64_t later = 0;  ///< bit i: step first + i
    KeyState state;

    bool operator<(const Place& other) const {
      return std::tie(first, later, state) < std::tie(other.first, other.later, other.state);
    }
  };

  void Advance(Place* place) const {
    while ((place->later & 1) != 0) {
      place->later >>= 1;
      ++place->first;
    }
    // What was never answered may never have happened: at the end it is left out.
    while (place->first < steps_.size() && OnlyUnansweredFrom(*place)) place->first = steps_.size();
  }

  bool OnlyUnansweredFrom(const Place& place) const {
    for (size_t i = place.first; i < steps_.size(); ++i) {
      const bool done = i - place.first < kWindow && ((place.later >> (i - place.first)) & 1) != 0;
      if (!done && steps_[i].replied_us != UINT64_MAX) return false;
    }
    return true;
  }

  // Any command may be next that was invoked before all others that are still to come had replied.
  void Expand(const Place& place, std::vector<Place>* open) const {
    uint64_t earliest_reply_us = UINT64_MAX;
    const size_t end = std::min(steps_.size(), place.first + kWindow);
    for (size_t i = place.first; i < end; ++i) {
      if (((place.later >> (i - place.first)) & 1) == 0)
        earliest_reply_us = std::min(earliest_reply_us, steps_[i].replied_us);
    }
    for (size_t i = end; i-- > place.first;) {
      if (((place.later >> (i - place.first)) & 1) != 0 || steps_[i].invoked_us > earliest_reply_us) continue;
      Place next = place;
      const std::string reply = Apply(steps_[i].args, &next.state);
      const std::string& seen = steps_[i].reply;
      const bool fits = seen.empty() || seen == reply || (reply == kSomeError && seen[0] == '-');
      if (!fits) continue;
      next.later |= uint64_t{1} << (i - place.first);
      open->push_back(std::move(next));
    }
  }

  std::vector<KeyStep> steps_;
  std::set<Place> seen_;
  size_t furthest_ = 0;
};

}  // namespace

bool IsModelled(const std::string& command) {
  static constexpr std::array kCommands = {"SET",    "GET", "INCR",   "DECRBY", "GETSET",    "SETNX",
                                           "APPEND", "DEL", "GETDEL", "GETEX",  "PEXPIREAT", "PERSIST"};
  return std::find(kCommands.begin(), kCommands.end(), command) != kCommands.end();
}

std::string WhyNotLinearizable(std::vector<KeyStep> steps, uint64_t epoch_ms) {
  AddEnds(&steps, epoch_ms);
  return Search(std::move(steps)).Run();
}

}  // namespace orrery::simulation
