#include "simulation/element_check.h"

#include <algorithm>
#include <map>
#include <set>

#include "orrery/storage/row_key.h"
#include "orrery/types/element.h"

namespace orrery::simulation {
namespace {

using causality::Dot;
using causality::SlotClock;

struct Write {
  const SlotClock* saw;
  Dot dot;  ///< counter 0: acknowledged without an event, as if the element were there as it should be
  std::string value;
};

struct Element {
  std::vector<Write> added;
  std::vector<const SlotClock*> removed;  ///< what each removal saw
};
using Elements = std::map<std::string, Element>;

// Adds and removals by element, as the commands of these kinds of keys name them.
void Tell(const Operation& operation, const SlotClock& saw, const Dot& made, Elements* elements,
          std::vector<const SlotClock*>* cleared) {
  const std::vector<std::string>& args = operation.args;
  const std::string& command = args[0];
  const auto add = [&](const std::string& element, std::string value) {
    (*elements)[element].added.push_back({&saw, made, std::move(value)});
  };
  const bool removes = command == "DEL" || command == "UNLINK" || command == "SREM" || command == "HDEL" ||
                       command == "ZREM" || command == "LREM";
  if (removes && made.counter == 0) return;  // nothing was there
  if (command == "DEL" || command == "UNLINK") return cleared->push_back(&saw);
  if (command == "SADD" || command == "RPUSH" || command == "LPUSH") {
    for (size_t i = 2; i < args.size(); ++i) add(args[i], "");
  } else if (command == "HSET") {
    for (size_t i = 2; i + 1 < args.size(); i += 2) add(args[i], args[i + 1]);
  } else if (command == "ZADD") {
    for (size_t i = 2; i + 1 < args.size(); i += 2) add(args[i + 1], "");
  } else if (command == "GEOADD") {
    for (size_t i = 2; i + 2 < args.size(); i += 3) add(args[i + 2], "");
  } else if (command == "SREM" || command == "HDEL" || command == "ZREM") {
    for (size_t i = 2; i < args.size(); ++i) (*elements)[args[i]].removed.push_back(&saw);
  } else if (command == "LREM") {
    (*elements)[args[3]].removed.push_back(&saw);
  }
}

// The values of which one must show; empty: the element must not be there.
std::set<std::string> Standing(const Element& element, const std::vector<const SlotClock*>& cleared) {
  std::set<std::string> values;
  for (const Write& write : element.added) {
    // Who has seen what an addition without an event has seen may have come after it.
    const auto saw_it = [&](const SlotClock* clock) {
      return write.dot.counter != 0 ? clock->Covers(write.dot) : clock->CoversEveryDotOf(*write.saw);
    };
    const bool gone = std::any_of(element.removed.begin(), element.removed.end(), saw_it) ||
                      std::any_of(cleared.begin(), cleared.end(), saw_it);
    const bool overwritten = std::any_of(element.added.begin(), element.added.end(), [&](const Write& other) {
      return other.dot.counter != 0 && saw_it(other.saw);
    });
    if (!gone && !overwritten) values.insert(write.value);
  }
  return values;
}

// What the rows show: of a list its values, of everything else its elements and, for a hash, their values.
std::map<std::string, std::string> Shown(const Expected& expected, const std::string& key) {
  std::map<std::string, std::string> shown;
  for (const auto& [row_key, row] : expected.rows) {
    const auto parsed = storage::ParseRowKey(row_key);
    if (!parsed || parsed->key != key || !row.HasValue()) continue;
    const std::string& payload = row.NewestValue()->payload;
    if (parsed->tag == storage::RowTag::kList) shown[payload] = "";
    if (!types::HasElementOrder(parsed->tag)) continue;
    shown[std::string(types::ElementOf(parsed->tag, parsed->element))] =
        parsed->tag == storage::RowTag::kHash ? payload : "";
  }
  return shown;
}

}  // namespace

bool IsElementKind(char kind) {
  return kind >= 'n' && kind <= 'q';
}

std::string ElementDifference(const History& history, SlotId slot, const SlotClock& clock,
                              const std::string& key, const std::vector<const Operation*>& operations) {
  const auto expected = history.At(slot, clock);
  if (!expected) return {};
  const causality::VersionVector applied = history.Applied(slot, clock);
  Elements elements;
  std::vector<const SlotClock*> cleared;
  for (const Operation* operation : operations) {
    if (operation->args.size() < 2 || operation->args[1] != key) continue;
    for (const Execution& execution : operation->executions) {
      const bool made = execution.made.counter != 0;
      if (made ? !applied.Covers(execution.made) : !operation->acknowledged()) continue;
      Tell(*operation, execution.before, execution.made, &elements, &cleared);
    }
  }
  const auto shown = Shown(*expected, key);
  for (const auto& [name, element] : elements) {
    const std::set<std::string> standing = Standing(element, cleared);
    const auto found = shown.find(name);
    if (standing.empty() && found != shown.end()) return key + " still has " + name + ", which was removed";
    if (!standing.empty() && found == shown.end()) {
      return key + " lacks " + name + ", which was added, and removed by nobody who had seen all of that";
    }
    if (found != shown.end() && !standing.contains(found->second)) {
      return key + " shows " + found->second + " for " + name + ", which was overwritten";
    }
  }
  for (const auto& [name, value] : shown) {
    if (!elements.contains(name)) return key + " has " + name + ", which nobody added";
  }
  return {};
}

}  // namespace orrery::simulation
