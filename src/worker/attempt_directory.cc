#include "worker/attempt_directory.h"

#include <charconv>

#include "os/file.h"
#include "wire/worker_api.h"

namespace plz {

Result<void> AttemptDirectory::create(const Assignment& assignment, const std::string& runtime) {
  PLZ_TRY(make_directories(paths_.directory, 0700));
  PLZ_TRY(write_file_atomically(paths_.directory + "/runtime", runtime, 0600, Sync::no));
  return write_file_atomically(paths_.directory + "/assignment.json", assignment_to_json(assignment), 0600, Sync::no);
}

Result<Assignment> AttemptDirectory::assignment() const {
  PLZ_ASSIGN(std::string json, read_file(paths_.directory + "/assignment.json", 256u << 20));
  return assignment_from_json(json);
}

std::string AttemptDirectory::runtime() const {
  return read_file(paths_.directory + "/runtime").value_or("");
}

Result<void> AttemptDirectory::note_stop(Timestamp when) {
  return write_file_atomically(paths_.directory + "/stop", std::to_string(when.time_since_epoch().count()), 0600,
                               Sync::no);
}

std::optional<Timestamp> AttemptDirectory::stop_requested() const {
  auto text = read_file(paths_.directory + "/stop");
  if (!text) return std::nullopt;
  int64_t microseconds = 0;
  std::from_chars(text->data(), text->data() + text->size(), microseconds);
  return Timestamp(std::chrono::microseconds(microseconds));
}

Result<void> AttemptDirectory::remove() { return remove_tree(paths_.directory); }

std::vector<AttemptDirectory> find_attempt_directories(const std::string& directory) {
  std::vector<AttemptDirectory> found;
  auto names = list_directory(directory);
  if (!names) return found;
  for (const auto& name : *names)
    if (AttemptId::parse(name)) found.emplace_back(join_path(directory, name));
  return found;
}

}  // namespace plz
