#include "app/file_ownership.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "db/sqlite/sqlite_database.h"
#include "db/sqlite/wal_check.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kMarkName = "database";
constexpr std::chrono::milliseconds kCheckAfterCrash{1'000};

std::string this_boot() { return std::string(trim(read_file("/proc/sys/kernel/random/boot_id").value_or(""))); }

std::string counted(uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// The value of a line "name value"; "" where there is none.
std::string_view line_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ')
      return line.substr(name.size() + 1);
  }
  return {};
}

// Files two levels below: DIRECTORY/xx/NAME.
Result<uint64_t> count_files(const std::string& directory, std::string_view suffix) {
  uint64_t count = 0;
  if (!path_exists(directory)) return count;
  PLZ_ASSIGN(auto folders, list_directory(directory));
  for (const std::string& folder : folders) {
    auto names = list_directory(join_path(directory, folder));
    if (!names) continue;  // a file
    for (const std::string& name : *names) count += name.find(suffix) != std::string::npos ? 1 : 0;
  }
  return count;
}

tl::unexpected<Error> refuse(const DataDirectory& data, const std::string& words) {
  return fail(ErrorCode::damaged, words + ". Nothing was changed",
              fmt::format("put back what belongs together, and plz goes on as if nothing had been. Where it is lost: "
                          "plz-controller recover --data-directory {} takes in what can be had, and says what cannot",
                          data.path));
}

}  // namespace

Result<std::optional<FileOwnership::Mark>> FileOwnership::read_mark(const std::string& place) const {
  const std::string path = join_path(place, kMarkName);
  PLZ_ASSIGN(auto text, read_file_if_exists(path, 4096));
  if (!text) return std::nullopt;
  const auto database = Uuid::parse(line_of(*text, "database")), opening = Uuid::parse(line_of(*text, "opening"));
  if (!database || !opening) return refuse(data_, path + " does not name a database: it is damaged");
  return Mark{*database, *opening, std::string(line_of(*text, "boot")), line_of(*text, "ended") == "yes"};
}

Result<void> FileOwnership::write_marks(const Mark& mark) const {
  const std::string text = fmt::format("database {}\nopening {}\nboot {}\nended {}\n", mark.database.to_string(),
                                       mark.opening.to_string(), mark.boot, mark.ended ? "yes" : "no");
  for (const std::string& place : places()) {
    PLZ_TRY(make_directories(place, 0700));
    PLZ_TRY(write_file_atomically(join_path(place, kMarkName), text, 0600, Sync::no));
  }
  return {};
}

Result<std::string> FileOwnership::what_is_there() const {
  PLZ_ASSIGN(uint64_t packs, count_files(data_.store() + "/packs", ".pack"));
  PLZ_ASSIGN(uint64_t logs, count_files(data_.logs(), ".log"));
  PLZ_ASSIGN(uint64_t jobs, count_files(data_.worker() + "/attempts", "assignment"));
  std::string words;
  auto add = [&](uint64_t count, std::string_view what) {
    if (count > 0) words += (words.empty() ? "" : ", ") + counted(count, what);
  };
  add(packs, "pack");
  add(logs, "log");
  add(jobs, "job's directory");
  return words;
}

Result<void> FileOwnership::check_files() {
  const std::string path = data_.database();
  std::optional<Mark> latest;
  for (const std::string& place : places()) {
    PLZ_ASSIGN(auto mark, read_mark(place));
    if (mark) latest = mark;
  }
  auto bytes = file_size(path);
  if (!bytes && bytes.error().code != ErrorCode::not_found) return fail(std::move(bytes).error());
  if (!bytes || *bytes == 0) {
    PLZ_ASSIGN(std::string there, what_is_there());
    if (there.empty()) return {};
    return refuse(data_, fmt::format("the database {} {}, but beside it lies what a database knew: {}", path,
                                     bytes ? "is empty" : "is gone", there));
  }
  if (!latest || latest->ended) return {};
  PLZ_TRY(look_at_open_database(*latest));
  // From here on the log may be written into the database and be gone.
  latest->ended = true;
  return write_marks(*latest);
}

// A look changes nothing, so that what is refused here can be put right.
Result<void> FileOwnership::look_at_open_database(const Mark& latest) const {
  // A machine that lost power may have lost parts of the log that nobody relies on.
  if (latest.boot == this_boot()) PLZ_TRY(check_write_ahead_log(data_.database()));
  PLZ_ASSIGN(auto glance, glance_at_sqlite_database(data_.database(), kCheckAfterCrash));
  if (!glance.identity) return {};
  const auto& openings = glance.openings;
  for (const std::string& place : places())
    PLZ_TRY(compare(place, *glance.identity, [&](const Uuid& opening) -> Result<bool> {
      return std::find(openings.begin(), openings.end(), opening) != openings.end();
    }));
  return {};
}

Result<void> FileOwnership::check_owner(IdentityRecords& records) {
  PLZ_ASSIGN(const DatabaseIdentity identity, records.read());
  for (const std::string& place : places())
    PLZ_TRY(compare(place, identity, [&](const Uuid& opening) { return records.was_opened(opening); }));
  return {};
}

Result<void> FileOwnership::compare(const std::string& place, const DatabaseIdentity& identity,
                                    const std::function<Result<bool>(const Uuid&)>& was_opened) const {
  PLZ_ASSIGN(auto mark, read_mark(place));
  if (!mark && !identity.settled) return {};
  if (!mark)
    return refuse(data_, fmt::format("{} is not what the database {} knew there: it is {}", place, data_.database(),
                                     path_exists(place) ? "another, or was emptied" : "gone"));
  if (mark->database != identity.id)
    return refuse(data_, fmt::format("{} belongs to another database than {}", place, data_.database()));
  PLZ_ASSIGN(bool known, was_opened(mark->opening));
  if (known) return {};
  return refuse(data_, fmt::format("the database {} is an older copy: {} was in use since", data_.database(), place));
}

Result<void> FileOwnership::check_packs(IdentityRecords& records, BlobService& blobs, LocalPackStore& packs) {
  PLZ_ASSIGN(const DatabaseIdentity identity, records.read());
  PLZ_ASSIGN(auto foreign, blobs.foreign_packs());
  if (!foreign.empty() && (identity.settled || !identity.older))
    return refuse(data_, fmt::format("the database {} knows nothing of {} in {} (the first is {}): it is new, or an "
                                     "older copy",
                                     data_.database(), counted(foreign.size(), "pack"), data_.store(),
                                     packs.path_of(foreign.front())));
  // An earlier plz left them, or it lost its database: nobody can tell.
  for (PackId id : foreign) PLZ_TRY(packs.set_aside(id));
  if (!foreign.empty())
    log_warning("{} that no record names {} set aside in {}/unrecorded; plz-controller recover takes them in",
                counted(foreign.size(), "pack"), foreign.size() == 1 ? "was" : "were", data_.store());
  return {};
}

Result<void> FileOwnership::take(IdentityRecords& records) {
  PLZ_ASSIGN(const DatabaseIdentity identity, records.read());
  PLZ_ASSIGN(const Uuid opening, records.open());
  mark_ = Mark{identity.id, opening, this_boot(), false};
  PLZ_TRY(write_marks(*mark_));
  if (!identity.settled) PLZ_TRY(records.settle());
  return {};
}

void FileOwnership::note_end() {
  if (!mark_) return;
  mark_->ended = true;
  if (auto written = write_marks(*mark_); !written) log_warning("{}", written.error().message);
}

}  // namespace plz
