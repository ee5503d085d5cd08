// Which handler answers which method and path.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_types.h"

namespace plz {

// The values of a pattern's {names}, percent-decoded, never empty, never with a slash.
using PathParameters = std::map<std::string, std::string, std::less<>>;

// Filled once, then read by any number of threads.
class Router {
 public:
  using Handler = std::function<Response(Request&, const PathParameters&)>;

  // A pattern is literal segments and {names}: "/v1/executions/{id}/logs". Where several match, the
  // one with a literal segment earlier wins. A GET handler serves HEAD too.
  void add(std::string method, std::string_view pattern, Handler handler);

  // An unknown path is a problem 404; a known path with another method 405 with Allow.
  Response handle(Request& request) const;

 private:
  struct Segment {
    bool is_parameter = false;
    std::string text;
  };
  struct Route {
    std::string method;
    std::vector<Segment> segments;
    Handler handler;
  };
  static std::vector<Segment> parse_pattern(std::string_view pattern);
  static bool matches(const Route& route, const std::vector<std::string_view>& path);
  static bool is_more_literal(const Route& a, const Route& b);

  std::vector<Route> routes_;
};

}  // namespace plz
