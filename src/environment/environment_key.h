// What an environment is known by. Two builds with the same key are the same environment.
#pragma once

#include <map>
#include <string>

#include "model/digest.h"

namespace plz {

struct EnvironmentIngredients {
  std::string dockerfile;                    // its text
  std::map<std::string, std::string> bases;  // images that the text names, to the ids they have now
  std::string platform;
  Digest context;                            // of what the build can see; zero: nothing
  std::map<std::string, std::string> texts;  // files that plz itself adds, by path
};

// 32 hexadecimal digits: half of a SHA-256. Part of names of images: a change of what goes in makes every environment
// anew, and needs a new format version in the .cc file.
std::string environment_key(const EnvironmentIngredients& ingredients);

}  // namespace plz
