// Reads a stream to its end. "!" follows where it failed.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "net/http_types.h"

namespace plz {

// Pulls as the event loop does: when woken, until there is nothing.
inline std::string drain(StreamSource& source) {
  struct Bell {
    std::mutex mutex;
    std::condition_variable woken;
    bool wake = true;
  };
  // A stream may still be ringing when its last piece has been taken.
  auto bell = std::make_shared<Bell>();
  source.on_wake([bell] {
    std::lock_guard lock(bell->mutex);
    bell->wake = true;
    bell->woken.notify_one();
  });
  std::string all;
  for (;;) {
    {
      std::unique_lock lock(bell->mutex);
      bell->woken.wait(lock, [&] { return bell->wake; });
      bell->wake = false;
    }
    for (;;) {
      std::string piece;
      auto state = source.pull(piece, 1000);
      all += piece;
      if (state == StreamSource::State::end) return all;
      if (state == StreamSource::State::failed) return all + "!";
      if (state == StreamSource::State::waiting) break;
    }
  }
}

}  // namespace plz
