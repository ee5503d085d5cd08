#include "base/caught.h"
#include "cli/cli.h"

int main(int argc, char** argv) {
  constexpr int kOwnFailure = 125;
  plz::end_with_words("plz", kOwnFailure);
  return plz::run_cli(argc, argv);
}
