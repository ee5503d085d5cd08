#include "worker/attempt_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>

#include <fmt/core.h>

#include "base/text.h"
#include "os/boot_time.h"
#include "os/file.h"
#include "wire/worker_api.h"

namespace plz {
namespace {

using std::chrono::microseconds;

constexpr char kAssignment[] = "/assignment";
constexpr char kUnboxed[] = "/unboxed";
constexpr char kImage[] = "/image";
constexpr char kStop[] = "/stop";
constexpr char kContainerNote[] = "/init.container";  // runtime/docker's
constexpr char kEngine[] = "/engine";
constexpr char kPlaces[] = "/places";
constexpr char kAgain[] = "/again";
constexpr uint64_t kMostBytes = 256u << 20;

std::string image_lines(const ImageIdentity& image) {
  return image.id + "\n" + image.digest + "\n" + image.base_id + "\n" + image.base_digest + "\n";
}

}  // namespace

Result<void> AttemptDirectory::create(const Assignment& assignment, const std::string& runtime,
                                      const std::string& unboxed) {
  if (mkdir(paths_.directory.c_str(), 0700) != 0) return fail_errno("cannot make " + paths_.directory);
  auto filled = [&]() -> Result<void> {
    if (!unboxed.empty()) PLZ_TRY(write_file_atomically(paths_.directory + kUnboxed, unboxed, 0600, Sync::no));
    PLZ_ASSIGN(UniqueFd file, open_file(paths_.directory + kAssignment, O_WRONLY | O_CREAT | O_EXCL, 0600));
    return write_all(file.get(), runtime + "\n" + assignment_to_json(assignment));
  }();
  if (!filled) PLZ_TRY(remove());
  return filled;
}

std::string AttemptDirectory::unboxed() const { return read_file(paths_.directory + kUnboxed).value_or(""); }

Result<AttemptDirectory::Kept> AttemptDirectory::load() const {
  PLZ_ASSIGN(std::string text, read_file(paths_.directory + kAssignment, kMostBytes));
  const size_t line_end = text.find('\n');
  if (line_end == text.npos) return fail(ErrorCode::invalid, paths_.directory + " holds no whole assignment");
  PLZ_ASSIGN(Assignment assignment, assignment_from_json(std::string_view(text).substr(line_end + 1)));
  return Kept{text.substr(0, line_end), std::move(assignment)};
}

AttemptDirectory::Kept AttemptDirectory::without_assignment() const {
  Kept kept;
  const std::string text = read_file(paths_.directory + kAssignment, kMostBytes).value_or("");
  if (const size_t line_end = text.find('\n'); line_end != text.npos) kept.runtime = text.substr(0, line_end);
  else if (path_exists(paths_.directory + kContainerNote)) kept.runtime = "docker";
  if (auto id = AttemptId::parse(base_name(paths_.directory))) kept.assignment.attempt_id = *id;
  return kept;
}

std::chrono::milliseconds StopRequest::time_left() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - boot_time());
  return std::max(left, std::chrono::milliseconds(0));
}

Result<void> AttemptDirectory::note_stop(const StopRequest& stop) {
  const std::string text = fmt::format("{} {} {}\n", stop.when.time_since_epoch().count(),
                                       stop.when_boot_time.value_or(microseconds(0)).count(), stop.deadline.count());
  return write_file_atomically(paths_.directory + kStop, text, 0600, Sync::no);
}

std::optional<StopRequest> AttemptDirectory::stop_requested() const {
  auto text = read_file(paths_.directory + kStop);
  if (!text) return std::nullopt;
  long long when = 0, when_boot_time = 0, deadline = 0;
  const int known = sscanf(text->c_str(), "%lld %lld %lld", &when, &when_boot_time, &deadline);
  StopRequest stop{Timestamp(microseconds(when)), {}, microseconds(deadline)};
  if (known == 3) stop.when_boot_time = microseconds(when_boot_time);
  return stop;
}

Result<void> AttemptDirectory::keep_image(const ImageIdentity& image) {
  return write_file_atomically(paths_.directory + kImage, image_lines(image), 0600, Sync::no);
}

std::optional<ImageIdentity> AttemptDirectory::image() const {
  auto text = read_file(paths_.directory + kImage);
  if (!text) return std::nullopt;
  auto lines = split(*text, '\n');
  if (lines.size() < 2) return std::nullopt;
  ImageIdentity image{std::string(lines[0]), std::string(lines[1])};
  if (lines.size() >= 4) image.base_id = lines[2], image.base_digest = lines[3];
  return image;
}

Result<void> AttemptDirectory::keep_engine(const std::string& note) {
  return write_file_atomically(paths_.directory + kEngine, note, 0600, Sync::no);
}

std::string AttemptDirectory::engine() const { return read_file(paths_.directory + kEngine).value_or(""); }

Result<void> AttemptDirectory::keep_places(const Places& places) {
  const std::string text = places.code + "\n" + places.input + "\n" + places.cache + "\n";
  return write_file_atomically(paths_.directory + kPlaces, text, 0600, Sync::no);
}

std::optional<AttemptDirectory::Places> AttemptDirectory::places() const {
  auto text = read_file(paths_.directory + kPlaces);
  if (!text) return std::nullopt;
  auto lines = split(*text, '\n');
  if (lines.size() < 3) return std::nullopt;
  return Places{std::string(lines[0]), std::string(lines[1]), std::string(lines[2])};
}

Result<void> AttemptDirectory::note_again() {
  return write_file_atomically(paths_.directory + kAgain, "", 0600, Sync::no);
}

bool AttemptDirectory::is_again() const { return path_exists(paths_.directory + kAgain); }

// The note that says so goes last.
Result<void> AttemptDirectory::clear_launch() {
  // Without it nothing is taken for launched.
  PLZ_TRY(remove_tree(paths_.directory + "/init.spec"));
  PLZ_ASSIGN(const auto names, list_directory(paths_.directory));
  for (const auto& name : names)
    if (name.starts_with("init.") || name.starts_with("log") || name == "run" || name == "output" ||
        name == "measures" || name == "configuration.json")
      PLZ_TRY(remove_tree(join_path(paths_.directory, name)));
  return remove_tree(paths_.directory + kAgain);
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
