// Time that every process of the machine shares and that does not jump: what a wall clock's times cannot be compared
// by.
#pragma once

#include <chrono>

namespace plz {

// Since the machine was started, sleep included (CLOCK_BOOTTIME).
std::chrono::microseconds boot_time();

}  // namespace plz
