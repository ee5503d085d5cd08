// Merges several logs into one text by whole lines: the parts of a composite execution. Lines of a
// part stay in order; between the bytes of a line there is never another part's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plz {

// Not thread-safe. What it holds back of a part is the beginning of a line, at most kLongLine and a
// piece; a line that grows longer is passed on as it comes, and until its end the other parts wait:
// offer a part more only while wants() says so, and a part holds no more than that either.
class LineMerger {
 public:
  static constexpr size_t kLongLine = 1u << 20;

  explicit LineMerger(size_t parts) : parts_(parts) {}

  // The next bytes of a part. Appends to `out` what can be shown by now, of any part.
  void add(size_t part, std::string_view bytes, std::string& out);
  // Nothing will follow of this part. A last line that lacks its newline gets one.
  void end(size_t part, std::string& out);
  // False while another part's long line goes on and this one has enough waiting.
  bool wants(size_t part) const;

 private:
  struct Part {
    std::string held;
    size_t whole_lines = 0;  // how many bytes of `held` they are; only while another part talks
    bool ended = false;
  };

  void show(size_t index, std::string_view more, std::string& out);
  void show_waiting(std::string& out);

  std::vector<Part> parts_;
  std::optional<size_t> talking_;  // whose long line is not at its end
};

}  // namespace plz
