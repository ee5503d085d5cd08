#include <cstring>

#include "init/container.h"
#include "init/contract.h"
#include "init/inner.h"
#include "init/message.h"
#include "init/outer.h"

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "outer") == 0) return plz::init::run_outer(argv[2]);
  if (argc == 2 && strcmp(argv[1], "inner") == 0) return plz::init::run_inner();
  if (argc == 3 && strcmp(argv[1], "container") == 0) return plz::init::run_container(argv[2]);
  if (argc >= 3 && strcmp(argv[1], "give-back") == 0) return plz::init::run_give_back(argv[2], argv + 3);
  plz::init::complain("usage: plz-init outer DIRECTORY | plz-init inner (started by plz-worker, not by hand)");
  return plz::init::kExitUsage;
}
