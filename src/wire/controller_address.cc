#include "wire/controller_address.h"

#include <charconv>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {

std::string controller_address_to_text(const ControllerAddress& address) {
  return fmt::format("pid {}\nsocket {}\n", address.pid, address.socket);
}

std::optional<ControllerAddress> controller_address_from_text(std::string_view text) {
  constexpr std::string_view kPid = "pid ", kSocket = "socket ";
  ControllerAddress address;
  for (std::string_view line : split(text, '\n')) {
    if (line.starts_with(kPid)) std::from_chars(line.data() + kPid.size(), line.data() + line.size(), address.pid);
    if (line.starts_with(kSocket)) address.socket = line.substr(kSocket.size());
  }
  if (address.pid <= 0 || !address.socket.starts_with('/')) return std::nullopt;
  return address;
}

}  // namespace plz
