// plz-controller recover: makes a data directory usable whose database is lost, an older copy, or another's.
#pragma once

namespace plz {

// `argv` without the program's name. The exit status.
int recovery_main(int argc, char** argv);

}  // namespace plz
