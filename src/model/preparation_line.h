// A line of a preparation log: of what is printed while the environment of a job is made ready. Most are
// the container engine's own; those that plz says itself begin with a mark.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace plz {

enum class PreparationVoice {
  engine,    // what a build prints
  info,      // "=> Pulling debian:12"
  warning,   // "** The image of then is gone"
  progress,  // "-- debian:12: 10 MiB of 52 MiB": takes the place of the one before, off a terminal of none
};

struct PreparationLine {
  PreparationVoice voice = PreparationVoice::engine;
  std::string_view text;  // without its mark
};

// `line` without its line break.
PreparationLine parse_preparation_line(std::string_view line);
// With its mark and a line break.
std::string preparation_line(PreparationVoice voice, std::string_view text);
// A warning: what went wrong, and what to do about it.
std::string warning_line(const Error& error);

}  // namespace plz
