#include "worker/steps/log_shipper.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "os/file.h"

namespace plz {

LogShipper::LogShipper(AttemptId attempt, AttemptLog log, std::string path, bool recovered, Connections& connections,
                       const Clock& clock)
    : attempt_(attempt),
      log_(log),
      path_(std::move(path)),
      connections_(connections),
      clock_(clock),
      known_(!recovered) {}

Result<bool> LogShipper::ship_piece() {
  if (!known_) {
    if (!path_exists(path_)) return false;
    PLZ_ASSIGN(shipped_, connections_.call([&](WorkerApi& api) { return api.log_size(attempt_, log_); }));
    known_ = true;
  }
  PLZ_ASSIGN(size_t size, read_piece());
  if (size == 0) return false;
  std::string_view piece(buffer_.data(), size);
  const uint64_t before = shipped_;
  PLZ_ASSIGN(shipped_, connections_.call([&](WorkerApi& api) {
    return api.append_log(attempt_, log_, before, clock_.now(), piece);
  }));
  if (shipped_ == before)
    return fail(ErrorCode::conflict, "the controller takes no more of the log of attempt " + attempt_.to_string());
  return true;
}

Result<size_t> LogShipper::read_piece() {
  if (!file_) {
    auto file = open_file(path_, O_RDONLY);
    if (!file && file.error().code == ErrorCode::not_found) return 0;  // nothing was written yet
    if (!file) return fail(std::move(file).error());
    file_ = std::move(*file);
  }
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) return fail_errno("cannot look at " + path_);
  const auto end = static_cast<uint64_t>(status.st_size);
  if (end <= shipped_) {
    if (buffer_.capacity() > kLogPieceBytes / 16) std::string().swap(buffer_);
    return 0;
  }
  const size_t wanted = std::min<uint64_t>(end - shipped_, kLogPieceBytes);
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  return pread_up_to(file_.get(), buffer_.data(), wanted, shipped_);
}

uint64_t LogShipper::unshipped() const {
  struct stat status {};
  if (stat(path_.c_str(), &status) != 0) return 0;
  return static_cast<uint64_t>(status.st_size) - std::min(shipped_, static_cast<uint64_t>(status.st_size));
}

Result<void> LogShipper::ship_rest(const std::stop_token& stop, StoragePatience& patience) {
  Backoff backoff = connections_.backoff();
  for (;;) {
    auto sent = ship_piece();
    if (sent && !*sent) return {};
    if (sent) {
      patience.renew();
      backoff.reset();
      continue;
    }
    if (!is_temporary(sent.error().code)) return fail(std::move(sent).error());
    if (patience.is_over()) return fail(ErrorCode::invalid, sent.error().message);
    if (!wait_unless_stopped(stop, backoff.next())) return fail(ErrorCode::cancelled, "the worker is ending");
  }
}

}  // namespace plz
