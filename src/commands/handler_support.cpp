#include "commands/handler_support.h"

#include <string>

namespace orrery::commands {

bool TypeFits(CommandContext& context, const types::KeyView& key, types::KeyType wanted) {
  const types::KeyType type = key.type();
  context.CountLookup(type != types::KeyType::kNone);
  if (type == wanted || type == types::KeyType::kNone) return true;
  context.reply.Error(kWrongType);
  return false;
}

bool Finds(CommandContext& context, const types::KeyView& key) {
  const bool found = key.exists();
  context.CountLookup(found);
  return found;
}

std::optional<int64_t> IntegerArg(CommandContext& context, size_t arg) {
  const std::optional<int64_t> number = ParseInteger(context.arg(arg));
  if (!number) context.reply.Error(kNotInteger);
  return number;
}

std::optional<uint64_t> PositiveArg(CommandContext& context, size_t arg, std::string_view error) {
  const auto number = ParseInteger(context.arg(arg));
  if (number && *number > 0) return static_cast<uint64_t>(*number);
  context.reply.Error(error);
  return std::nullopt;
}

std::optional<int64_t> MomentOf(int64_t number, TimeUnit unit, TimeBase base, uint64_t now_ms) {
  int64_t moment = number;
  if (unit == TimeUnit::kSeconds && __builtin_mul_overflow(moment, 1000, &moment)) return std::nullopt;
  if (base == TimeBase::kRelative && __builtin_add_overflow(moment, static_cast<int64_t>(now_ms), &moment)) {
    return std::nullopt;
  }
  return moment;
}

std::optional<EndOption> EndOptionOf(std::string_view option) {
  if (Is(option, "ex")) return EndOption{TimeUnit::kSeconds, TimeBase::kRelative};
  if (Is(option, "px")) return EndOption{TimeUnit::kMilliseconds, TimeBase::kRelative};
  if (Is(option, "exat")) return EndOption{TimeUnit::kSeconds, TimeBase::kAbsolute};
  if (Is(option, "pxat")) return EndOption{TimeUnit::kMilliseconds, TimeBase::kAbsolute};
  return std::nullopt;
}

std::optional<uint64_t> EndArg(CommandContext& context, const EndOption& option, std::string_view name) {
  const std::optional<int64_t> number = IntegerArg(context, option.number_arg);
  if (!number) return std::nullopt;
  const auto moment =
      *number <= 0 ? std::nullopt : MomentOf(*number, option.unit, option.base, context.transaction.now_ms());
  if (!moment || *moment <= 0) {
    context.reply.Error("ERR invalid expire time in '" + std::string(name) + "' command");
    return std::nullopt;
  }
  return static_cast<uint64_t>(*moment);
}

}  // namespace orrery::commands
