// Runs a fuzz target on seeded mutations of its seeds, for compilers without libFuzzer and for ctest.
//   TARGET [--runs N] [--seed S] [--first I]   inputs I .. I+N-1 of seed S (defaults 10000, 1, 0)
//   TARGET --write-seeds DIR                   writes the seeds as files, for libFuzzer to start from
//   TARGET FILE...                             runs the files, such as a crash that libFuzzer has saved
// A failing input is named by its seed and number, and printed.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/mutator.h"

namespace {

using orrery::fuzz::MakeSeeds;
using orrery::fuzz::Mutator;
using orrery::fuzz::Seeds;

struct Options {
  uint64_t runs = 10000;
  uint64_t seed = 1;
  uint64_t first = 0;
  std::string seeds_folder;
  std::vector<std::string> files;
};

/// What is running, for the signal handler.
char current_name[128];
const std::string* current_input = nullptr;

extern "C" void PrintFailingInput(int signal_number) {
  static const char kHex[] = "0123456789abcdef";
  const auto print = [](const char* text, size_t size) { (void)!write(STDERR_FILENO, text, size); };
  print("\nfailed on ", 11);
  print(current_name, strlen(current_name));
  print(": ", 2);
  for (size_t i = 0; current_input != nullptr && i < current_input->size(); ++i) {
    const auto byte = static_cast<unsigned char>((*current_input)[i]);
    const char escaped[] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    byte >= ' ' && byte < 127 && byte != '\\' ? print(&(*current_input)[i], 1) : print(escaped, 4);
  }
  print("\n", 1);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void RunOne(const std::string& input) {
  current_input = &input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  current_input = nullptr;
}

int RunFiles(const Options& options) {
  for (const std::string& path : options.files) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::fprintf(stderr, "cannot read %s\n", path.c_str()), 2;
    std::snprintf(current_name, sizeof(current_name), "%s", path.c_str());
    RunOne({std::istreambuf_iterator<char>(file), {}});
  }
  return 0;
}

int WriteSeeds(const Options& options) {
  std::filesystem::create_directories(options.seeds_folder);
  int n = 0;
  for (const std::string& input : MakeSeeds().inputs) {
    std::ofstream file(options.seeds_folder + "/seed-" + std::to_string(n++), std::ios::binary);
    file << input;
    if (!file.flush()) return std::fprintf(stderr, "cannot write to %s\n", options.seeds_folder.c_str()), 2;
  }
  return 0;
}

int RunMutations(const Options& options) {
  std::printf("runs %llu, seed %llu, first %llu\n", static_cast<unsigned long long>(options.runs),
              static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(options.first));
  std::fflush(stdout);
  const Seeds seeds = MakeSeeds();
  Mutator mutator(&seeds, options.seed);
  for (const std::string& input : seeds.inputs) {
    std::snprintf(current_name, sizeof(current_name), "a seed");
    RunOne(input);
  }
  for (uint64_t i = options.first; i < options.first + options.runs; ++i) {
    std::snprintf(current_name, sizeof(current_name), "--seed %llu --first %llu --runs 1",
                  static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(i));
    RunOne(mutator.Input(i));
  }
  return 0;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const bool is_option = name.rfind("--", 0) == 0;
    if (is_option && i + 1 == argc) std::fprintf(stderr, "%s needs a value\n", argv[i]), std::exit(2);
    if (name == "--runs") {
      options.runs = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--seed") {
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--first") {
      options.first = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--write-seeds") {
      options.seeds_folder = argv[++i];
    } else if (is_option) {
      std::fprintf(stderr, "unknown option %s\n", argv[i]), std::exit(2);
    } else {
      options.files.push_back(name);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  for (const int signal_number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) signal(signal_number, PrintFailingInput);
  const Options options = ParseOptions(argc, argv);
  if (!options.seeds_folder.empty()) return WriteSeeds(options);
  if (!options.files.empty()) return RunFiles(options);
  return RunMutations(options);
}
