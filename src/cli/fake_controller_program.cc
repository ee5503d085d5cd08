// For tests of finding and starting: takes plz-controller's arguments, and does what
// PLZ_FAKE_CONTROLLER in its environment says:
//   version=V   serves pings as that version, and ends when asked to
//   refuse      says why it cannot start
//   die         ends at once, with a line on stderr
//   killed=N    is killed while it starts, N times, and then serves pings as version 1.0.0
// It notes each start, with its environment's names, in DATA/starts.
#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "net/http_server.h"
#include "net/problem.h"
#include "net/socket.h"
#include "os/file.h"
#include "wire/controller_address.h"
#include "wire/instance_json.h"

namespace plz {
namespace {

void note_start(const std::string& data_directory) {
  std::string names;
  for (char** variable = environ; *variable; ++variable) {
    const std::string text = *variable;
    names += " " + text.substr(0, text.find('='));
  }
  auto fd = open_file(data_directory + "/starts", O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd) (void)write_all(fd->get(), "started" + names + "\n");
}

int times_started(const std::string& data_directory) {
  const std::string text = read_file(data_directory + "/starts").value_or("");
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

int serve(const std::string& data_directory, const std::string& socket_path, int ready_fd, const std::string& version) {
  std::mutex mutex;
  std::condition_variable asked;
  bool ending = false;
  HttpServer server({}, [&](Request& request) {
    Response response;
    if (request.target.path == "/v1/ping") {
      response.body = ping_to_json({.version = version, .embedded = true, .pid = getpid()});
      return response;
    }
    std::lock_guard lock(mutex);
    ending = true;
    asked.notify_all();
    response.body = "{}";
    return response;
  });
  unlink(socket_path.c_str());
  auto socket = listen_at(socket_path);
  if (!socket || !server.listen_unix(std::move(*socket)) || !server.start()) return 1;
  const std::string address_path = data_directory + "/" + std::string(kControllerAddressFile);
  (void)write_file_atomically(address_path, controller_address_to_text({getpid(), socket_path}), 0600, Sync::no);
  if (write(ready_fd, "ready\n", 6) != 6) return 1;
  close(ready_fd);
  std::unique_lock lock(mutex);
  asked.wait(lock, [&] { return ending; });
  lock.unlock();
  server.stop();
  unlink(socket_path.c_str());
  return 0;
}

int run(std::map<std::string, std::string> options) {
  const std::string what = getenv("PLZ_FAKE_CONTROLLER") ? getenv("PLZ_FAKE_CONTROLLER") : "version=0.0.1";
  const int ready_fd = atoi(options["--ready-fd"].c_str());
  note_start(options["--data-directory"]);
  if (what == "refuse") {
    const std::string why = "the format is newer\nuse the newer plz\n";
    return write(ready_fd, why.data(), why.size()) > 0 ? 1 : 2;
  }
  if (what.starts_with("killed=") && times_started(options["--data-directory"]) <= atoi(what.c_str() + 7)) {
    fputs("about to serve\n", stderr);
    raise(SIGKILL);
  }
  if (what == "die") {
    fputs("first\nsegmentation of all faults\n", stderr);
    return 1;
  }
  const std::string version = what.starts_with("version=") ? what.substr(what.find('=') + 1) : "1.0.0";
  return serve(options["--data-directory"], options["--socket"], ready_fd, version);
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; ++i) options[argv[i]] = argv[i + 1];
  return plz::run(options);
}
