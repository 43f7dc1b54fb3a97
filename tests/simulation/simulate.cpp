#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

#include "orrery/base/marks.h"
#include "simulation/run.h"
#include "simulation/scale/scale.h"

namespace orrery::simulation {
namespace {

struct Arguments {
  uint64_t first = 1, last = 1;
  size_t nodes = 0;
  uint64_t steps = 0;
  std::string faults, keys, mutation;
  bool twice = false, trace = false, marks = false, quiet = false, scale = false, keep_going = false;
  size_t trace_lines = 120;
};

// Beyond this many nodes there is no cluster with rows and clients, but membership and ring alone.
constexpr size_t kWholeClusterMax = 64;

uint64_t g_seed = 0;

void OnAbort(int) {
  std::fprintf(stderr, "aborted at seed %llu\n", static_cast<unsigned long long>(g_seed));
  std::_Exit(2);
}

std::set<std::string> Words(const std::string& list) {
  std::set<std::string> words;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) {
    if (!word.empty() && word != "none") words.insert(word);
  }
  return words;
}

Options OptionsOf(const Arguments& arguments, uint64_t seed) {
  Options options = DrawOptions(seed);
  if (arguments.steps != 0) options.steps = arguments.steps;
  if (!arguments.faults.empty()) {
    options.faults = arguments.faults == "all" ? AllFaults() : Words(arguments.faults);
    if (arguments.faults == "all") options.faults.insert(OperatorFaults().begin(), OperatorFaults().end());
    FitToFaults(&options);
  }
  if (arguments.nodes != 0) options.nodes = arguments.nodes;
  if (!arguments.keys.empty()) options.kinds = arguments.keys;
  options.trace = arguments.trace;
  return options;
}

std::string Command(const Arguments& arguments, uint64_t seed) {
  std::string command = "simulate --seed " + std::to_string(seed);
  if (arguments.nodes != 0) command += " --nodes " + std::to_string(arguments.nodes);
  if (arguments.steps != 0) command += " --steps " + std::to_string(arguments.steps);
  if (!arguments.faults.empty()) command += " --faults " + arguments.faults;
  if (!arguments.keys.empty()) command += " --keys " + arguments.keys;
  if (!arguments.mutation.empty()) command += " --mutation " + arguments.mutation;
  return command;
}

void PrintTrace(const std::deque<std::string>& trace, size_t lines) {
  const size_t begin = trace.size() > lines ? trace.size() - lines : 0;
  for (size_t i = begin; i < trace.size(); ++i) std::printf("%s\n", trace[i].c_str());
}

void PrintFailure(const Arguments& arguments, uint64_t seed, const RunResult& result) {
  Arguments traced = arguments;
  traced.trace = true;
  PrintTrace(RunSeed(OptionsOf(traced, seed)).trace, arguments.trace_lines);
  std::printf("\nFAILED seed %llu after %.1f virtual seconds: %s\nrepeat with: %s\n",
              static_cast<unsigned long long>(seed), static_cast<double>(result.virtual_us) / 1e6,
              result.failure.c_str(), Command(arguments, seed).c_str());
}

bool Parse(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto next = [&]() -> std::string { return i + 1 < argc ? argv[++i] : ""; };
    if (flag == "--seed") {
      arguments->first = arguments->last = std::strtoull(next().c_str(), nullptr, 10);
    } else if (flag == "--seeds") {
      const std::string range = next();
      arguments->first = std::strtoull(range.c_str(), nullptr, 10);
      const size_t dots = range.find("..");
      if (dots == std::string::npos) return false;
      arguments->last = std::strtoull(range.c_str() + dots + 2, nullptr, 10);
    } else if (flag == "--nodes") {
      arguments->nodes = std::strtoull(next().c_str(), nullptr, 10);
    } else if (flag == "--steps") {
      arguments->steps = std::strtoull(next().c_str(), nullptr, 10);
    } else if (flag == "--faults") {
      arguments->faults = next();
    } else if (flag == "--keys") {
      arguments->keys = next();
    } else if (flag == "--mutation") {
      arguments->mutation = next();
    } else if (flag == "--trace-lines") {
      arguments->trace_lines = std::strtoull(next().c_str(), nullptr, 10);
    } else if (flag == "--trace") {
      arguments->trace = true;
    } else if (flag == "--twice") {
      arguments->twice = true;
    } else if (flag == "--marks") {
      arguments->marks = true;
    } else if (flag == "--scale") {
      arguments->scale = true;
    } else if (flag == "--keep-going") {
      arguments->keep_going = true;
    } else if (flag == "--quiet") {
      arguments->quiet = true;
    } else {
      return false;
    }
  }
  return true;
}

struct Sums {
  uint64_t seeds = 0, steps = 0, virtual_us = 0, operations = 0, acknowledged = 0, events = 0, excused = 0,
           destroyed = 0;
};

void PrintSums(const Sums& sums, const char* end) {
  std::printf(
      "\r%llu seeds, %llu steps, %.2f virtual hours, %llu operations, %llu acknowledged, %llu events, %llu "
      "lost "
      "to power cuts%s",
      static_cast<unsigned long long>(sums.seeds), static_cast<unsigned long long>(sums.steps),
      static_cast<double>(sums.virtual_us) / 3.6e9, static_cast<unsigned long long>(sums.operations),
      static_cast<unsigned long long>(sums.acknowledged), static_cast<unsigned long long>(sums.events),
      static_cast<unsigned long long>(sums.excused), end);
  if (sums.destroyed > 0 && *end != 0) {
    std::printf("%llu seeds ended early: rows were gone from every disk%s",
                static_cast<unsigned long long>(sums.destroyed), end);
  }
  std::fflush(stdout);
}

// Rare paths of the product that these seeds never took; with --marks also those that they did.
void PrintMarks(bool all) {
  for (const auto& [name, hits] : Mark::All()) {
    if (hits == 0) std::printf("never reached: %s\n", name.c_str());
    if (hits != 0 && all) std::printf("%13llu  %s\n", static_cast<unsigned long long>(hits), name.c_str());
  }
}

bool RunOne(const Arguments& arguments, uint64_t seed, Sums* sums) {
  g_seed = seed;
  const Options options = OptionsOf(arguments, seed);
  RunResult result = RunSeed(options);
  if (result.ok() && arguments.twice) {
    const RunResult again = RunSeed(options);
    if (again.unseed != result.unseed || again.digest != result.digest) {
      result.failure = "determinism: a second run of the seed ended differently";
    }
  }
  if (arguments.trace) PrintTrace(result.trace, arguments.trace_lines);
  ++sums->seeds;
  sums->steps += result.steps;
  sums->virtual_us += result.virtual_us;
  sums->operations += result.operations;
  sums->acknowledged += result.acknowledged;
  sums->events += result.events;
  sums->excused += result.lost_excused;
  sums->destroyed += result.destroyed ? 1 : 0;
  if (result.ok()) return true;
  if (arguments.quiet) {
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), result.failure.c_str());
  } else {
    PrintFailure(arguments, seed, result);
  }
  return false;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, &arguments)) {
    std::fprintf(stderr,
                 "simulate --seed S | --seeds A..B  [--nodes N] [--steps K] [--faults all|none|a,b,...]\n"
                 "         [--keys abcdefghjklmnopq] [--mutation NAME] [--twice] [--trace] [--trace-lines L] "
                 "[--marks] "
                 "[--quiet] [--keep-going]\n"
                 "simulate --nodes 1000 | --scale [--nodes N]  [--seed S]     membership and ring alone\n");
    return 2;
  }
  if (arguments.scale || arguments.nodes > kWholeClusterMax) {
    PrintScale(SizesUpTo(arguments.nodes == 0 ? 1000 : arguments.nodes), arguments.first);
    return 0;
  }
  std::signal(SIGABRT, OnAbort);
  std::signal(SIGSEGV, OnAbort);
  if (!arguments.mutation.empty()) EnableMutation(arguments.mutation);
  Sums sums;
  bool ok = true;
  for (uint64_t seed = arguments.first; (ok || arguments.keep_going) && seed <= arguments.last; ++seed) {
    ok = RunOne(arguments, seed, &sums) && ok;
    if (ok && !arguments.quiet && sums.seeds % 50 == 0) PrintSums(sums, "");
  }
  PrintSums(sums, "\n");
  if (!arguments.quiet) PrintMarks(arguments.marks);
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace orrery::simulation

int main(int argc, char** argv) {
  return orrery::simulation::Main(argc, argv);
}
