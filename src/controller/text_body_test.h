// For tests: a request's body that is at hand.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include "net/http_types.h"

namespace plz {

class TextBody final : public BodyReader {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  Result<size_t> read(void* buffer, size_t size) override {
    size_t n = std::min(size, text_.size() - at_);
    memcpy(buffer, text_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  size_t at_ = 0;
};

}  // namespace plz
