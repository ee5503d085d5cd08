// What a build can see of its context, and what it stands on, told from the text of its Dockerfile. Whatever
// cannot be told for sure counts as the whole context: a build too many, never one too few.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plz {

struct BuildSight {
  // Images by name that stages begin with, or that COPY --from takes from. Not earlier stages, nor scratch.
  std::vector<std::string> bases;
  // Of `bases`, those that stages begin with: their ONBUILD triggers are part of the build.
  std::vector<std::string> stage_bases;
  std::vector<std::string> stages;  // by name, in lower case
  // One, as it is written, that only the engine could tell: what stands on it cannot be found again. "": none.
  std::string unknown_base;
  bool whole_context = false;
  std::vector<std::string> sources;  // of COPY and ADD: patterns, cleaned, "." is everything

  bool sees_nothing() const { return !whole_context && sources.empty(); }
};

BuildSight sight_of(std::string_view dockerfile);
// Adds what the ONBUILD triggers of a base see. "COPY . /src"
void add_triggers(BuildSight& sight, const std::vector<std::string>& triggers);

}  // namespace plz
