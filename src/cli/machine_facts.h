// What machine this is, from /etc, /proc and /sys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plz {

struct MachineFacts {
  std::string host_name;
  std::string os;              // "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;          // "6.1.0-18-amd64"
  std::string architecture;    // "x86_64"
  std::string cpu_model;       // empty: the kernel does not say
  int cpus = 0;                // that this process may use
  uint64_t memory_bytes = 0;
  std::vector<std::string> gpus;  // models, one each
  std::string gpu_driver;
};

// `root` is put before /etc, /proc and /sys; tests give a directory. What cannot be read is left empty.
MachineFacts machine_facts(const std::string& root = "");

}  // namespace plz
