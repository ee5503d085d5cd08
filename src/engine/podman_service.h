// Podman's service of Docker's API for tests, as root, with a store of its own below one directory.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace plz {

class PodmanService {
 public:
  // Why there can be none here; "": there can.
  static std::string obstacle();
  // One for this process, started at the first call and ended at its exit.
  static PodmanService& get();
  ~PodmanService();
  std::string socket() const { return directory_ + "/socket"; }
  // Copies an image from the machine's own engine and runs `true` in it; why that cannot be, "" if it can.
  std::string load(const std::string& image);

 private:
  PodmanService();
  pid_t spawn(const std::vector<std::string>& arguments) const;
  // A shell's pipeline in which $podman is the program with its options; whether it succeeded.
  bool shell(const std::string& script) const;
  std::string directory_;
  pid_t owner_;
  pid_t process_ = 0;
};

}  // namespace plz
