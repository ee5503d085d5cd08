#include "controller/collection/reference_watch.h"

#include <utility>

namespace plz {
namespace {

void append(References& to, const References& more) {
  to.trees.insert(to.trees.end(), more.trees.begin(), more.trees.end());
  to.blobs.insert(to.blobs.end(), more.blobs.begin(), more.blobs.end());
  to.images.insert(more.images.begin(), more.images.end());
}

}  // namespace

ReferenceWatch::Announcement ReferenceWatch::announce(const Execution& execution) {
  References references;
  add_references(execution, references);
  std::lock_guard lock(mutex_);
  if (watching_) add(references);
  announced_.emplace(++last_number_, std::move(references));
  return Announcement(*this, last_number_);
}

void ReferenceWatch::forget(uint64_t number) {
  std::lock_guard lock(mutex_);
  announced_.erase(number);
}

void ReferenceWatch::add(const References& references) {
  append(added_, references);
  images_.insert(references.images.begin(), references.images.end());
}

void ReferenceWatch::begin() {
  std::lock_guard lock(mutex_);
  watching_ = true;
  added_ = {};
  images_.clear();
  // They may be stored only after the collection has looked.
  for (const auto& [number, references] : announced_) add(references);
}

void ReferenceWatch::end() {
  std::lock_guard lock(mutex_);
  watching_ = false;
  added_ = {};
  images_.clear();
}

References ReferenceWatch::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(added_, {});
}

std::set<std::string> ReferenceWatch::images() const {
  std::lock_guard lock(mutex_);
  return images_;
}

}  // namespace plz
