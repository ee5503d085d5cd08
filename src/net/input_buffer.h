// Bytes that were read from a connection and are not used yet.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace plz {

class InputBuffer {
 public:
  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  void consume(size_t bytes) {
    begin_ += bytes;
    if (empty()) begin_ = end_ = 0;
  }
  // What it takes of memory, now and with `bytes` more.
  size_t capacity() const { return capacity_; }
  size_t capacity_for(size_t bytes) const {
    return capacity_ - end_ < bytes ? std::max(capacity_, size() + bytes) : capacity_;
  }
  // Room for `bytes` more; commit() says how many of them were filled.
  char* prepare(size_t bytes) {
    if (capacity_ - end_ < bytes) make_room(bytes);
    return data_.get() + end_;
  }
  void commit(size_t bytes) { end_ += bytes; }
  void append(const char* bytes, size_t size) {
    memcpy(prepare(size), bytes, size);
    commit(size);
  }
  // An idle connection holds no memory here.
  void release_if_empty() {
    if (empty()) *this = InputBuffer();
  }

 private:
  void make_room(size_t bytes) {
    size_t used = size();
    size_t capacity = capacity_for(bytes);
    std::unique_ptr<char[]> data(new char[capacity]);
    if (used > 0) memcpy(data.get(), data_.get() + begin_, used);
    data_ = std::move(data);
    capacity_ = capacity;
    begin_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace plz
