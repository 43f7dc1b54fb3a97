#include "commands/geo_search.h"

#include <string>

namespace orrery::commands {
namespace {

using Sort = GeoQuery::Sort;
using types::GeoPoint;

/// Reads the arguments from left to right, as Redis does, so that of several mistakes the same one is told.
class Parser {
 public:
  Parser(CommandContext& context, const GeoForm& form, const types::ZsetKey& key)
      : context_(context), form_(form), key_(key) {}

  std::optional<GeoQuery> Parse() {
    if (!TakePlaces()) return std::nullopt;
    while (at_ < context_.argc()) {
      if (!TakeOption()) return std::nullopt;
    }
    if (!Check()) return std::nullopt;
    if (query_.count > 0 && query_.sort == Sort::kNone && !query_.any) query_.sort = Sort::kNearestFirst;
    query_.shape.radius *= query_.unit;
    query_.shape.width *= query_.unit;
    query_.shape.height *= query_.unit;
    return query_;
  }

 private:
  bool Fail(std::string_view error) { return context_.reply.Error(error), false; }
  size_t behind() const { return context_.argc() - at_ - 1; }
  bool searches() const { return form_.from == GeoForm::From::kOptions; }

  // What stands at fixed places: of GEORADIUS and GEORADIUSBYMEMBER center and radius.
  bool TakePlaces() {
    if (searches()) {
      at_ = form_.stores ? 3 : 2;
      if (form_.stores) query_.store_key = context_.arg(1);
      return true;
    }
    const bool by_member = form_.from == GeoForm::From::kMember;
    at_ = by_member ? 5 : 6;
    // Without a source there is nowhere to start from, and only the options are looked at.
    if (by_member && !key_.exists()) return true;
    return (by_member ? TakeMember(2) : TakePoint(2)) && TakeRadius(at_ - 2);
  }

  bool TakeMember(size_t arg) {
    const auto point = PointOf(key_, context_.arg(arg));
    if (!point) return Fail("ERR could not decode requested zset member");
    query_.shape.center = *point;
    return true;
  }
  bool TakePoint(size_t arg) {
    const auto point = PointArgs(context_, arg);
    if (point) query_.shape.center = *point;
    return point.has_value();
  }
  bool TakeUnit(size_t arg) {
    const auto unit = UnitArg(context_, arg);
    if (unit) query_.unit = *unit;
    return unit.has_value();
  }
  bool TakeRadius(size_t arg) {
    const auto radius = ScoreArg(context_, arg, "ERR need numeric radius");
    if (!radius) return false;
    if (*radius < 0) return Fail("ERR radius cannot be negative");
    query_.shape.radius = *radius;
    return TakeUnit(arg + 1);
  }
  bool TakeBox(size_t arg) {
    const auto width = ScoreArg(context_, arg, "ERR need numeric width");
    const auto height = width ? ScoreArg(context_, arg + 1, "ERR need numeric height") : std::nullopt;
    if (!height) return false;
    if (*height < 0 || *width < 0) return Fail("ERR height or width cannot be negative");
    query_.shape.is_box = true;
    query_.shape.width = *width;
    query_.shape.height = *height;
    return TakeUnit(arg + 2);
  }
  bool TakeCount(size_t arg) {
    const auto count = IntegerArg(context_, arg);
    if (!count) return false;
    if (*count <= 0) return Fail("ERR COUNT must be > 0");
    query_.count = static_cast<uint64_t>(*count);
    return true;
  }

  bool TakeOption() {
    const std::string_view arg = context_.arg(at_);
    if (TakeFlag(arg)) return ++at_, true;
    size_t values = 1;
    bool taken = false;
    if (Is(arg, "count") && behind() >= 1) {
      taken = TakeCount(at_ + 1);
    } else if (form_.may_store && (Is(arg, "store") || Is(arg, "storedist")) && behind() >= 1) {
      query_.store_key = context_.arg(at_ + 1);
      query_.stores_distance = Is(arg, "storedist");
      taken = true;
    } else if (searches()) {
      taken = TakeSearchOption(arg, &values);
    } else {
      return Fail(kSyntaxError);
    }
    at_ += 1 + values;
    return taken;
  }

  bool TakeFlag(std::string_view arg) {
    if (Is(arg, "withdist")) return query_.with_distance = true;
    if (Is(arg, "withhash")) return query_.with_score = true;
    if (Is(arg, "withcoord")) return query_.with_point = true;
    if (Is(arg, "any")) return query_.any = true;
    if (Is(arg, "asc")) return query_.sort = Sort::kNearestFirst, true;
    if (Is(arg, "desc")) return query_.sort = Sort::kFarthestFirst, true;
    return form_.stores && Is(arg, "storedist") && (query_.stores_distance = true);
  }

  bool TakeSearchOption(std::string_view arg, size_t* values) {
    if (Is(arg, "frommember") && behind() >= 1 && !from_point_) {
      from_member_ = true;
      return !key_.exists() || TakeMember(at_ + 1);
    }
    if (Is(arg, "fromlonlat") && behind() >= 2 && !from_member_) {
      *values = 2;
      from_point_ = true;
      return TakePoint(at_ + 1);
    }
    if (Is(arg, "byradius") && behind() >= 2 && !by_box_) {
      *values = 2;
      by_radius_ = true;
      return TakeRadius(at_ + 1);
    }
    if (Is(arg, "bybox") && behind() >= 3 && !by_radius_) {
      *values = 3;
      by_box_ = true;
      return TakeBox(at_ + 1);
    }
    return Fail(kSyntaxError);
  }

  bool Check() {
    const std::string name(context_.arg(0));
    const bool shows = query_.with_distance || query_.with_score || query_.with_point;
    if (query_.store_key && shows) {
      const std::string_view what = form_.stores ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
      return Fail("ERR " + std::string(what) +
                  " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
    }
    if (searches() && !from_member_ && !from_point_) {
      return Fail("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name);
    }
    if (searches() && !by_radius_ && !by_box_) {
      return Fail("ERR exactly one of BYRADIUS and BYBOX can be specified for " + name);
    }
    if (query_.any && query_.count == 0) return Fail("ERR the ANY argument requires COUNT argument");
    return true;
  }

  CommandContext& context_;
  const GeoForm& form_;
  const types::ZsetKey& key_;
  size_t at_ = 0;
  GeoQuery query_;
  bool from_member_ = false;
  bool from_point_ = false;
  bool by_radius_ = false;
  bool by_box_ = false;
};

}  // namespace

std::optional<GeoQuery> ParseGeoQuery(CommandContext& context, const GeoForm& form,
                                      const types::ZsetKey& key) {
  return Parser(context, form, key).Parse();
}

}  // namespace orrery::commands
