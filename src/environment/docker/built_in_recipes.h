// Environments that come with plz, as lines of a Dockerfile upon a Debian.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plz {

struct RecipeLayer {
  std::vector<std::string> lines;            // behind FROM
  std::map<std::string, std::string> texts;  // files that COPY takes and that are not of the code
};

// "plz/python" and "plz/pytorch", exactly: before a local image of that name. nullopt: no other.
std::optional<RecipeLayer> built_in_recipe(std::string_view image);
std::string built_in_recipe_names();  // for messages: "plz/python and plz/pytorch"

// What the code asks for on top of it. `file` is "requirements.txt" or "environment.yml".
RecipeLayer requirements_layer(std::string_view file);
// In the order in which they count: the first that is there.
std::vector<std::string> requirements_files();

}  // namespace plz
