// Runs a fuzzer's entry point without libFuzzer, on any compiler: on each seed of a directory, and on
// so many mutations of them, the same in each run. Not a replacement of fuzzing (preset `fuzz`), which
// is led by coverage: it keeps what was found from coming back.
// Usage: PROGRAM DIRECTORY MUTATIONS
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kLongestInput = 1u << 16;

std::vector<std::string> read_seeds(const char* directory) {
  std::vector<std::string> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::sort(seeds.begin(), seeds.end());  // the order of a directory is nobody's
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& seeds) : seeds_(seeds) {}

  std::string next() {
    std::string input = any_seed();
    for (size_t left = 1 + below(4); left > 0; --left) mutate(input);
    if (input.size() > kLongestInput) input.resize(kLongestInput);
    return input;
  }

 private:
  // The distributions of the standard library differ between its implementations.
  size_t below(size_t limit) { return limit == 0 ? 0 : generator_() % limit; }
  const std::string& any_seed() { return seeds_[below(seeds_.size())]; }

  void mutate(std::string& input) {
    const size_t at = below(input.size() + 1), size = below(std::min<size_t>(input.size() - at, 16) + 1);
    switch (below(6)) {
      case 0: input.insert(at, 1, static_cast<char>(below(256))); break;
      case 1: input.erase(at, size); break;
      case 2: input.insert(below(input.size() + 1), input.substr(at, size)); break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 4: input.resize(at); break;
      case 5: {
        const std::string& other = any_seed();
        input.replace(at, size, other.substr(below(other.size() + 1), 32));
        break;
      }
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937 generator_{1};
};

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto seeds = read_seeds(argv[1]);
  if (seeds.empty()) {
    fprintf(stderr, "there are no seeds in %s\n", argv[1]);
    return 1;
  }
  for (const auto& seed : seeds) run(seed);
  Mutator mutator(seeds);
  const long mutations = atol(argv[2]);
  for (long i = 0; i < mutations; ++i) run(mutator.next());
  printf("%zu seeds and %ld mutations\n", seeds.size(), mutations);
  return 0;
}
