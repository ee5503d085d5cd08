#include "cli/cli.h"

int main(int argc, char** argv) { return plz::run_cli(argc, argv); }
