// What plz-init has to say goes to stderr, which is the attempt's init.err: a line each.
#pragma once

namespace plz::init {

[[gnu::format(printf, 1, 2)]] void complain(const char* format, ...);
// "plz-init: cannot open /x: Permission denied", with errno's words; keeps errno.
void complain_errno(const char* what, const char* path = nullptr);

}  // namespace plz::init
