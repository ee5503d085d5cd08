// A second Docker engine for tests that kill it or fill its disk: apart from the machine's own, below one directory,
// with a network of its own that has no more than a loopback.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace plz {

class OwnEngine {
 public:
  // A small disk of this many MiB for its images and containers; 0: the machine's.
  explicit OwnEngine(int disk_size = 0);
  ~OwnEngine();
  // Why there can be none here, or none that could be given `image`; "": there can.
  static std::string obstacle(const std::string& image = "");
  const std::string& directory() const { return directory_; }
  std::string socket() const { return directory_ + "/socket"; }
  pid_t process() const { return process_; }  // 0: it does not run
  // From the next start on also at 127.0.0.1:2376 of its network, for who shows a certificate: ca.pem, cert.pem and
  // key.pem of the directory are its own.
  void listen_with_tls(const std::string& certificates);
  // Moves the calling thread into the network of the engine, which runs.
  bool enter_network() const;
  // Both wait until it is so.
  bool start();
  void end(int signal);
  // A command of the docker program; its exit status.
  int docker(const std::string& words) const;
  // Until this many MiB of its disk are left; free_disk undoes it.
  void fill_disk(uint64_t left) const;
  void free_disk() const;
  // Copies an image from the machine's own engine.
  bool load(const std::string& image);

 private:
  void spawn();
  void end_containerd() const;
  std::string data() const { return directory_ + "/data"; }
  std::vector<std::string> tls_options_;
  std::string directory_;
  pid_t process_ = 0;
};

}  // namespace plz
