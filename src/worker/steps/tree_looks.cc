#include "worker/steps/tree_looks.h"

#include <utility>

#include "base/threads.h"

namespace plz {
namespace {

// So few are looked at in a fraction of a millisecond: then a change is found before the job has started.
constexpr size_t kFewEntries = 300;

}  // namespace

void TreeLooks::begin(const TreeCache::Hold& code, const TreeCache::Hold& input) {
  forget();
  code_ = &code;
  input_ = input ? &input : nullptr;
  const bool few_of_code = trees_.entries(code) <= kFewEntries;
  const bool few_of_input = !input_ || trees_.entries(input) <= kFewEntries;
  if (few_of_code) look(code, "code");
  if (few_of_input && input_) look(input, "input");
  if (few_of_code && few_of_input) return;
  is_looking_ = true;
  auto look_at_many = [this, few_of_code, few_of_input](const std::stop_token&) {
    if (!few_of_code) look(*code_, "code");
    if (!few_of_input) look(*input_, "input");
    std::lock_guard lock(mutex_);
    is_looking_ = false;
    changed_.notify_all();
  };
  if (auto thread = start_jthread(look_at_many)) thread_ = std::move(*thread);
  else look_at_many({});
}

void TreeLooks::look(const TreeCache::Hold& hold, std::string_view what) {
  TreeCache::Look look = trees_.look(hold);
  if (look.is_good()) return;
  std::lock_guard lock(mutex_);
  if (!found_.difference.empty()) found_.difference += ", and ";
  found_.difference += std::string(what) + ": " + look.difference;
  found_.others.insert(found_.others.end(), look.others.begin(), look.others.end());
  changed_.notify_all();
}

bool TreeLooks::found_change(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return !is_looking_ || !found_.is_good(); });
  return !found_.is_good();
}

TreeCache::Look TreeLooks::finish() {
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  if (found_.is_good() && ((code_ && trees_.is_changed(*code_)) || (input_ && trees_.is_changed(*input_))))
    found_.difference = "it was changed while the job ran";
  return found_;
}

void TreeLooks::forget() {
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  found_ = {};
  code_ = input_ = nullptr;
}

}  // namespace plz
