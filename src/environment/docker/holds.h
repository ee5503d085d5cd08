// Who needs an image that plz made or pulled: each worker that does gives it a name of its own, a hold. An image goes
// with its last hold, so that no controller takes from another what that one's history needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine_client.h"

namespace plz {

inline constexpr const char* kEnvironmentRepository = "plz/environment";  // its tags are keys, and holds

// "…" of "plz/environment:…", also as Podman writes it; "": another's name.
std::string_view environment_tag(std::string_view name);

// Whether a name is a hold; of this holder, where one is given.
bool is_hold(std::string_view name, std::string_view holder = {});

// Thread-safe.
class Holds {
 public:
  // `holder`: by what a worker is known among all that use the engine (holder_of).
  Holds(EngineClient& engine, std::string holder) : engine_(engine), holder_(std::move(holder)) {}

  const std::string& holder() const { return holder_; }
  // Costs nothing where the image, as it was just looked at, has ours. not_found: it is gone.
  Result<void> take(const ImageDetails& image);
  Result<void> take(const std::string& image_id, const std::vector<std::string>& names);

 private:
  EngineClient& engine_;
  const std::string holder_;
};

// The same for as long as the directory stays where it is: whoever has lost what is in it finds its holds again.
std::string holder_of(std::string_view machine, std::string_view directory);
// What tells this machine, or this container, from others that may use the same engine.
std::string this_machine();

}  // namespace plz
