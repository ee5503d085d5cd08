// What the containers of this folder's tests run: a static program, all that its image holds.
//   test_program exit STATUS     test_program say OUT ERR     test_program sleep
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "exit") == 0) return atoi(argv[2]);
  if (argc == 4 && strcmp(argv[1], "say") == 0) {
    fprintf(stdout, "%s\n", argv[2]);
    fflush(stdout);
    fprintf(stderr, "%s\n", argv[3]);
    return 0;
  }
  if (argc == 2 && strcmp(argv[1], "sleep") == 0)
    for (;;) pause();
  return 64;
}
