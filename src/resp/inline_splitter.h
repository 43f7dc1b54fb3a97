#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace orrery::resp {

/// Splits an inline request (a line typed into telnet) into arguments with the quoting rules of redis-cli and
/// Redis: arguments are separated by blanks; "..." knows \n \r \t \b \a \xHH and \c for any other c; '...'
/// knows only \'; a closing quote ends the argument and must be followed by a blank or the end. Unquotes in
/// place, so the views appended to args point into line. False if quotes do not balance; line and args are
/// then of no use.
bool SplitInline(std::span<char> line, std::vector<std::string_view>* args);

}  // namespace orrery::resp
