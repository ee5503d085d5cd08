#include "model/instance.h"

namespace plz {

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::starting: return "starting";
    case InstanceState::idle: return "idle";
    case InstanceState::busy: return "busy";
    case InstanceState::gone: return "gone";
  }
  return "unknown";
}

}  // namespace plz
