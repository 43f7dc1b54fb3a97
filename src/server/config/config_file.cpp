#include "server/config/config_file.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "orrery/server/version.h"
#include "server/config/setting.h"

namespace orrery::server {
namespace {

constexpr int kIncludeDepthMax = 16;

std::string_view Trim(std::string_view line) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  return line;
}

Status LineError(int number, std::string_view line, std::string_view reason) {
  return Status::Invalid("\n*** FATAL CONFIG FILE ERROR (Orrery " + std::string(kReleaseVersion) +
                         ") ***\nReading the configuration file, at line " + std::to_string(number) +
                         "\n>>> '" + std::string(line) + "'\n" + std::string(reason) + "\n");
}

Status SystemError(const std::string& what, const std::string& path) {
  return Status::IoError(what + " '" + path + "': " + std::strerror(errno));
}

bool IsInclude(std::string_view word) {
  std::string lower;
  for (char c : word) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower == "include";
}

Status WriteAndSync(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("can't write", path);
    text.remove_prefix(static_cast<size_t>(n));
  }
  return fsync(fd) == 0 ? Status::Ok() : SystemError("can't sync", path);
}

}  // namespace

Status ConfigReader::ReadText(std::string_view text) {
  int number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (Status s = ReadLine(line, number); !s.ok()) return s;
  }
  return Status::Ok();
}

Status ConfigReader::ReadLine(std::string_view line, int number) {
  std::vector<std::string> words;
  if (!SplitWords(line, &words)) return LineError(number, line, "Unbalanced quotes in configuration line");
  if (words.empty()) return Status::Ok();
  if (IsInclude(words[0]) && words.size() == 2) {
    if (Status s = ReadIncludes(words[1]); !s.ok()) {
      return s.code() == StatusCode::kInvalid ? s : LineError(number, line, s.message());
    }
    return Status::Ok();
  }
  const Setting* setting = FindSetting(words[0]);
  if (setting == nullptr) return LineError(number, line, "Bad directive or wrong number of arguments");
  const std::string error = ApplySetting(*setting, std::span(words).subspan(1), &config_);
  if (!error.empty()) return LineError(number, line, error);
  seen_.emplace_back(setting->name);
  return Status::Ok();
}

Status ConfigReader::ReadIncludes(const std::string& pattern) {
  if (depth_ >= kIncludeDepthMax) return Status::IoError("files include each other too deeply");
  glob_t found{};
  const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
  const int error = glob(pattern.c_str(), is_pattern ? 0 : GLOB_NOCHECK, nullptr, &found);
  std::vector<std::string> paths;
  if (error == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  for (const std::string& path : paths) {
    ++depth_;
    Status s = ReadFile(path);
    --depth_;
    if (!s.ok()) return s;
  }
  return Status::Ok();
}

Status ConfigReader::ReadFile(const std::string& path) {
  Result<std::string> text = ReadWholeFile(path);
  return text.ok() ? ReadText(*text) : text.status();
}

Result<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Status::IoError("Fatal error, can't open config file '" + path + "': " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad() || (in.fail() && !in.eof())) {
    return Status::IoError("Fatal error, can't read config file '" + path + "': " + std::strerror(EIO));
  }
  return text.str();
}

Status ReplaceFile(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return SystemError("can't create", temporary);
  Status written = WriteAndSync(fd, text, temporary);
  if (written.ok() && fchmod(fd, 0644) != 0) written = SystemError("can't set the mode of", temporary);
  close(fd);
  if (written.ok() && rename(temporary.c_str(), path.c_str()) != 0)
    written = SystemError("can't replace", path);
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  const std::string folder = path.find('/') == std::string::npos ? "." : path.substr(0, path.rfind('/') + 1);
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return SystemError("can't open", folder);
  const bool synced = fsync(folder_fd) == 0;
  close(folder_fd);
  return synced ? Status::Ok() : SystemError("can't sync", folder);
}

}  // namespace orrery::server
