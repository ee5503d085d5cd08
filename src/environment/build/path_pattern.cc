#include "environment/build/path_pattern.h"

#include <algorithm>

namespace plz {
namespace {

size_t index_of(char c) { return static_cast<unsigned char>(c); }

}  // namespace

PathPattern::PathPattern(std::string_view text) {
  while (!text.empty()) {
    size_t length = 1;
    if (text.starts_with("**")) {
      length = text.substr(2).starts_with('/') ? 3 : 2;
      elements_.push_back({length == text.size() ? Kind::rest : Kind::depth});
    } else if (text.front() == '*') {
      elements_.push_back({Kind::name});
    } else if (text.front() == '[') {
      length = add_class(text);
    } else {
      Element one{Kind::one};
      const bool escapes = text.front() == '\\';
      if (escapes && text.size() > 1) length = 2;
      complete_ = complete_ && (!escapes || length == 2);
      if (text.front() == '?') one.bytes.set().reset('/');
      else one.bytes.set(index_of(text[length - 1]));
      elements_.push_back(one);
    }
    text.remove_prefix(length);
  }
}

// Returns the length of the class in `text`. One that is not closed takes no byte.
size_t PathPattern::add_class(std::string_view text) {
  Element element{Kind::one};
  size_t at = 1;
  const bool negated = text.substr(at).starts_with('^');
  if (negated) ++at;
  auto next = [&] {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    return index_of(text[at++]);
  };
  for (const size_t first = at; at < text.size() && (text[at] != ']' || at == first);) {
    size_t low = next(), high = low;
    if (at + 1 < text.size() && text[at] == '-' && text[at + 1] != ']') {
      ++at;
      high = next();
    }
    for (size_t byte = low; byte <= high; ++byte) element.bytes.set(byte);
  }
  if (negated) element.bytes.flip();
  element.bytes.reset('/');
  if (at >= text.size()) {
    complete_ = false;
    element.bytes.reset();
  }
  elements_.push_back(element);
  return std::min(at + 1, text.size());
}

// Which elements may take the next byte: all ways to match are followed at once, so that none is gone back on.
class PathPattern::States {
 public:
  explicit States(const PathPattern& pattern)
      : elements_(pattern.elements_), now_(elements_.size() + 1), next_(elements_.size() + 1) {
    enter(now_, 0);
  }

  // Nothing of the pattern is left to be taken.
  bool at_end() const {
    const bool takes_rest = !elements_.empty() && elements_.back().kind == Kind::rest && now_[elements_.size() - 1];
    return takes_rest || now_.back();
  }

  void take(char c) {
    next_.assign(next_.size(), false);
    for (size_t i = 0; i < elements_.size(); ++i)
      if (now_[i]) step(i, c);
    now_.swap(next_);
  }

 private:
  void step(size_t i, char c) {
    switch (elements_[i].kind) {
      case Kind::one:
        if (elements_[i].bytes[index_of(c)]) enter(next_, i + 1);
        return;
      case Kind::name:
        if (c != '/') enter(next_, i);
        return;
      case Kind::depth:
        next_[i] = true;
        if (c == '/') enter(next_, i + 1);
        return;
      case Kind::rest: next_[i] = true; return;
    }
  }

  // An element that may take nothing lets the one behind it in, too.
  void enter(std::vector<bool>& states, size_t i) const {
    for (;; ++i) {
      states[i] = true;
      if (i == elements_.size() || (elements_[i].kind != Kind::name && elements_[i].kind != Kind::depth)) return;
    }
  }

  const std::vector<Element>& elements_;
  std::vector<bool> now_, next_;  // the last: behind all elements
};

bool PathPattern::match(std::string_view path, bool directories_too) const {
  States states(*this);
  for (char c : path) {
    if (directories_too && c == '/' && states.at_end()) return true;
    states.take(c);
  }
  return states.at_end();
}

}  // namespace plz
