// Which executions wait for an instance, oldest first. The parts of a composite ask for the same: a hundred thousand of
// them cost a few bytes each, and are passed over at once.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <unordered_map>
#include <vector>

#include "model/execution.h"

namespace plz {

// Not thread-safe.
class ExecutionQueue {
 public:
  // Of an execution that is in it already: nothing.
  void add(const Execution& execution);
  void add_parts(ExecutionId composite, const Resources& resources, const std::vector<ExecutionId>& parts);
  void remove(ExecutionId id);
  void remove_all(std::vector<ExecutionId> ids);

  bool contains(ExecutionId id) const;
  size_t size() const { return entries_.size(); }
  size_t older_than(ExecutionId id) const;

  enum class Next { further, pass_those_like_it, stop };
  // Calls back with each, oldest first. Those like it are the other parts of its composite.
  using Visit = std::function<Next(ExecutionId, const Resources&)>;
  void each(const Visit& visit) const;

 private:
  struct Group {
    Resources resources;
    size_t size = 0;
    ExecutionId first, last;  // no member lies before or after these
  };
  using Groups = std::unordered_map<ExecutionId, Group>;  // by the composite, else by the execution itself
  struct Entry {
    ExecutionId id;
    Groups::value_type* group;
  };

  void insert(ExecutionId id, Groups::value_type& group);
  static void leave(Groups& groups, const Entry& entry);
  size_t place_of(ExecutionId id) const;
  size_t beyond_place_of(ExecutionId id) const;
  size_t end_of_run(size_t place) const;

  std::deque<Entry> entries_;  // by id, which is by age
  Groups groups_;
};

}  // namespace plz
