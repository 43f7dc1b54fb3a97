#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/base/codec.h"

namespace orrery::types {

/// Lengths, strings and scores as they stand in Redis's RDB files (format 10). Reads fail like those of
/// Decoder: in->ok() is false from then on, whatever the bytes are. Pure.

void PutRdbLength(uint64_t length, Encoder* out);
/// An integer of 32 bits as such; a longer text compressed, where that makes it shorter.
void PutRdbString(std::string_view text, Encoder* out);
void PutRdbScore(double score, Encoder* out);

uint64_t GetRdbLength(Decoder* in);
/// A length of things that take a byte each at least: fails if the input cannot hold them.
uint64_t GetRdbCount(Decoder* in);
std::string GetRdbString(Decoder* in);
double GetRdbScore(Decoder* in);
/// As Redis wrote scores before 4.0: as text.
double GetRdbTextScore(Decoder* in);

}  // namespace orrery::types
