#include "environment/environment_key.h"

#include "store/hasher.h"

namespace plz {
namespace {

constexpr std::string_view kFormat = "plz environment 1";
constexpr size_t kDigits = 32;

}  // namespace

std::string environment_key(const EnvironmentIngredients& ingredients) {
  Hasher hasher;
  auto add = [&](std::string_view field) {
    hasher.update(std::to_string(field.size()) + ":");
    hasher.update(field);
  };
  auto add_all = [&](const std::map<std::string, std::string>& fields) {
    add(std::to_string(fields.size()));
    for (const auto& [name, value] : fields) {
      add(name);
      add(value);
    }
  };
  add(kFormat);
  add(ingredients.dockerfile);
  add_all(ingredients.bases);
  add(ingredients.platform);
  add(ingredients.context.view());
  add_all(ingredients.texts);
  return hasher.finish().hex().substr(0, kDigits);
}

}  // namespace plz
