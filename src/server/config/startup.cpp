#include <unistd.h>

#include <cstdlib>
#include <istream>
#include <iterator>
#include <set>

#include "orrery/server/config.h"
#include "orrery/server/version.h"
#include "server/config/config_file.h"
#include "server/config/setting.h"

namespace orrery::server {
namespace {

bool IsOption(std::string_view word) {
  return word.size() > 2 && word.starts_with("--");
}

std::string AbsolutePath(const std::string& path) {
  if (path.starts_with('/')) return path;
  char* folder = getcwd(nullptr, 0);
  std::string absolute = (folder == nullptr ? std::string(".") : std::string(folder)) + "/" + path;
  std::free(folder);
  return absolute;
}

/// Overrides become lines after the file's, one for each --setting: what follows it are its words, quoted,
/// while what is in one word with it ("--port 7001") is taken as it stands.
std::string OverrideLines(std::span<const std::string> args) {
  std::string lines;
  for (const std::string& arg : args) {
    if (IsOption(arg)) {
      lines += "\n" + arg.substr(2);
    } else {
      lines += " " + QuoteWord(arg);
    }
  }
  // An option without words: only `--save` may stand alone, and means "no save points", as with redis-server.
  std::string text;
  size_t at = 0;
  while (at < lines.size()) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string line = lines.substr(at, end - at);
    text += line == "save" ? "save \"\"\n" : line + "\n";
    at = end + 1;
  }
  return text;
}

std::vector<std::string> Notes(const ConfigReader& reader) {
  std::vector<std::string> notes;
  std::set<std::string> told;
  for (const std::string& name : reader.seen()) {
    const Setting* setting = FindSetting(name);
    if (!setting->has(Setting::kInert) || !told.insert(name).second) continue;
    notes.push_back("'" + name + "' has no effect: " + std::string(setting->reason));
  }
  return notes;
}

}  // namespace

Result<Startup> LoadStartup(std::span<const std::string> args, std::istream& standard_input) {
  Startup startup;
  if (!args.empty() && (args[0] == "-v" || args[0] == "--version")) {
    startup.action = Startup::Action::kVersion;
    return startup;
  }
  if (!args.empty() && (args[0] == "-h" || args[0] == "--help")) {
    startup.action = Startup::Action::kHelp;
    return startup;
  }
  std::string text;
  if (!args.empty() && !args[0].starts_with('-')) {
    startup.file = AbsolutePath(args[0]);
    Result<std::string> file = ReadWholeFile(args[0]);
    if (!file.ok()) return Status::Invalid(file.status().message());
    text = *file;
    args = args.subspan(1);
  }
  bool from_input = false;
  std::vector<std::string> overrides;
  for (const std::string& arg : args) {
    arg == "-" ? static_cast<void>(from_input = true) : overrides.push_back(arg);
  }
  if (from_input) text += "\n" + std::string(std::istreambuf_iterator<char>(standard_input), {});
  const std::string lines = OverrideLines(overrides);
  text += (lines.starts_with('\n') ? "" : "\n") + lines;
  ConfigReader reader;
  if (Status s = reader.ReadText(text); !s.ok()) return Status::Invalid(s.message());
  startup.config = reader.config();
  startup.notes = Notes(reader);
  return startup;
}

Result<Config> ParseConfig(std::string_view text) {
  ConfigReader reader;
  if (Status s = reader.ReadText(text); !s.ok()) return s;
  return reader.config();
}

std::string VersionText() {
  return "Orrery server v=" + std::string(kReleaseVersion) + " redis=" + std::string(kRedisVersion) +
         " malloc=jemalloc bits=64\n";
}

std::string UsageText() {
  return "Usage: orrery-server [/path/to/orrery.conf] [--setting value ...] [-]\n"
         "       orrery-server -                   (read settings from standard input)\n"
         "       orrery-server -v or --version\n"
         "       orrery-server -h or --help\n"
         "\n"
         "Examples:\n"
         "       orrery-server                     (one node with the default settings)\n"
         "       orrery-server /etc/orrery/orrery.conf\n"
         "       orrery-server --port 7002 --dir /var/lib/orrery --seeds 127.0.0.1:7001\n"
         "       orrery-server /etc/orrery/orrery.conf --loglevel verbose\n"
         "       echo 'appendfsync always' | orrery-server - --port 7001\n"
         "\n"
         "Settings are those of config/orrery.conf; a later one takes the place of an earlier one.\n";
}

}  // namespace orrery::server
