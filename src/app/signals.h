// SIGTERM and SIGINT as a wish to end.
#pragma once

#include <chrono>

namespace plz {

// Blocks both signals for this thread and those it starts afterwards, and ignores SIGPIPE, SIGHUP and
// SIGXFSZ (a write past `ulimit -f` fails instead). Call at the start of main, before any thread.
void block_end_signals();
// Waits for one of them; true: it came, false: the time is over.
bool wait_for_end_signal(std::chrono::milliseconds at_most);

}  // namespace plz
