// The right to name the image of one environment, among all who build it on one engine, whatever machine they are on:
// an engine has one container of a name, so whoever has made that container has the right until it is removed.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/engine_client.h"

namespace plz {

inline constexpr const char* kNamingClaimLabel = "plz.environment.naming";  // the key

// Holds until it is destroyed. One thread at a time.
class NamingClaim {
 public:
  // Waits for whoever has it; who still has it after `patience` is taken for gone. The container is of `image`, an id,
  // and is never started. `cancelled`: `stop` asked.
  static Result<NamingClaim> take(EngineClient& engine, const std::string& key, const std::string& image,
                                  std::chrono::milliseconds patience, const std::stop_token& stop);
  // Removes those whose image is one of `images`, short ids: of builders that are no more. False: no answer.
  static bool remove_leftovers(EngineClient& engine, const std::vector<std::string>& images);

  NamingClaim(NamingClaim&& other) noexcept : engine_(other.engine_), container_(std::exchange(other.container_, "")) {}
  ~NamingClaim();

 private:
  NamingClaim(EngineClient& engine, std::string container) : engine_(engine), container_(std::move(container)) {}

  EngineClient& engine_;
  std::string container_;  // its id; "": moved from
};

}  // namespace plz
