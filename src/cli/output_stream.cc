#include "cli/output_stream.h"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include "os/fd.h"

namespace plz {

bool OutputStream::is_terminal() const { return isatty(fd_) == 1; }

Result<void> OutputStream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      // Somebody made the pipe or the terminal that we share non-blocking.
      pollfd waiting{fd_, POLLOUT, 0};
      poll(&waiting, 1, -1);
    } else if (errno == EPIPE) {
      reader_gone_ = true;
      return fail(ErrorCode::cancelled, "the reader of the results has gone");
    } else if (errno != EINTR) {
      failure_ = errno_error(errno, "cannot write to stdout");
      failure_->code = ErrorCode::internal;
      return fail(*failure_);
    }
  }
  return {};
}

}  // namespace plz
