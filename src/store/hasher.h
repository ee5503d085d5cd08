// SHA-256, with the context kept between uses. Not thread-safe: one a thread.
#pragma once

#include <string_view>

#include "model/digest.h"

namespace plz {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void update(std::string_view bytes);
  Digest finish();  // and starts anew

 private:
  void* context_;
};

Digest digest_of(std::string_view bytes);

}  // namespace plz
