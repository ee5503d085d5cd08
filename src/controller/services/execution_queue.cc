#include "controller/services/execution_queue.h"

#include <algorithm>
#include <utility>

namespace plz {

void ExecutionQueue::add(const Execution& execution) {
  const ExecutionId whole = execution.spec.parent_id.value_or(execution.id);
  add_parts(whole, execution.spec.resources, {execution.id});
}

void ExecutionQueue::add_parts(ExecutionId composite, const Resources& resources,
                               const std::vector<ExecutionId>& parts) {
  if (parts.empty()) return;
  auto& group = *groups_.try_emplace(composite, Group{resources, 0, parts.front(), parts.front()}).first;
  for (ExecutionId id : parts) insert(id, group);
}

void ExecutionQueue::insert(ExecutionId id, Groups::value_type& group) {
  const size_t place = place_of(id);
  if (place < entries_.size() && entries_[place].id == id) return;
  entries_.insert(entries_.begin() + static_cast<ptrdiff_t>(place), Entry{id, &group});
  Group& counted = group.second;
  ++counted.size;
  counted.first = std::min(counted.first, id);
  counted.last = std::max(counted.last, id);
}

void ExecutionQueue::leave(Groups& groups, const Entry& entry) {
  if (--entry.group->second.size == 0) groups.erase(ExecutionId(entry.group->first));
}

void ExecutionQueue::remove(ExecutionId id) {
  const size_t place = place_of(id);
  if (place == entries_.size() || entries_[place].id != id) return;
  leave(groups_, entries_[place]);
  entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(place));
}

void ExecutionQueue::remove_all(std::vector<ExecutionId> ids) {
  std::sort(ids.begin(), ids.end());
  std::erase_if(entries_, [&](const Entry& entry) {
    if (!std::binary_search(ids.begin(), ids.end(), entry.id)) return false;
    leave(groups_, entry);
    return true;
  });
}

bool ExecutionQueue::contains(ExecutionId id) const {
  const size_t place = place_of(id);
  return place < entries_.size() && entries_[place].id == id;
}

size_t ExecutionQueue::older_than(ExecutionId id) const { return place_of(id); }

void ExecutionQueue::each(const Visit& visit) const {
  for (size_t place = 0; place < entries_.size();) {
    const Entry& entry = entries_[place];
    const Next next = visit(entry.id, entry.group->second.resources);
    if (next == Next::stop) return;
    place = next == Next::further ? place + 1 : end_of_run(place);
  }
}

size_t ExecutionQueue::place_of(ExecutionId id) const {
  auto less = [](const Entry& entry, ExecutionId wanted) { return entry.id < wanted; };
  return static_cast<size_t>(std::lower_bound(entries_.begin(), entries_.end(), id, less) - entries_.begin());
}

size_t ExecutionQueue::beyond_place_of(ExecutionId id) const {
  const size_t place = place_of(id);
  return place < entries_.size() && entries_[place].id == id ? place + 1 : place;
}

// Of the entries of one group that follow each other: all of them, unless something else was submitted in that very
// moment.
size_t ExecutionQueue::end_of_run(size_t place) const {
  const auto* group = entries_[place].group;
  const size_t first = place_of(group->second.first), beyond = beyond_place_of(group->second.last);
  if (beyond - first == group->second.size) return beyond;
  while (place < entries_.size() && entries_[place].group == group) ++place;
  return place;
}

}  // namespace plz
