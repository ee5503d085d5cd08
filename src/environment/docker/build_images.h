// What a build makes on its way, told from what Docker's builder prints, so that a build that fails leaves nothing.
// Source: builder/dockerfile of github.com/moby/moby ("Step 2/3 : …", " ---> ID", " ---> Running in ID").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plz {

// Short ids, the latest first.
struct MadeByBuild {
  std::vector<std::string> images;      // neither its bases nor what it found in the cache
  std::vector<std::string> containers;  // that its commands ran in; the builder removes them as it goes
};

class BuildImages {
 public:
  // Whether it told of a new image or container.
  bool line(std::string_view line);
  MadeByBuild made() const;

 private:
  bool is_from_ = false, is_cached_ = false;
  MadeByBuild made_;  // the latest last
};

}  // namespace plz
