// Where the controller of a data directory listens, as it records it there in a file: whoever looks for it may have
// another runtime directory than who started it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plz {

// Of DATA/controller.address, two lines: "pid 4711", "socket /run/user/1000/plz/controller-….sock". It is written once
// the socket accepts, and removed at the controller's end; one that was killed leaves it. It is no more than a hint:
// who reads it asks the kernel who listens there.
struct ControllerAddress {
  int64_t pid = 0;
  std::string socket;
};

inline constexpr std::string_view kControllerAddressFile = "controller.address";

std::string controller_address_to_text(const ControllerAddress& address);
// nullopt: not of this form. Lines of other names are left alone.
std::optional<ControllerAddress> controller_address_from_text(std::string_view text);

}  // namespace plz
