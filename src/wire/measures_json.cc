#include "wire/measures_json.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "wire/json_text.h"
#include "wire/model_shapes.h"

namespace plz {
namespace {

struct Events {
  std::vector<MeasureEvent> events;
};

struct Measure {
  std::vector<std::string_view> path;
  const MeasureEvent* event;
};

bool is_number(std::string_view name) { return !name.empty() && name.find_first_not_of("0123456789") == name.npos; }

// epoch/10 comes after epoch/9: names that are numbers come first, by their value.
int compare_names(std::string_view a, std::string_view b) {
  bool numbers = is_number(a);
  if (numbers != is_number(b)) return numbers ? -1 : 1;
  if (numbers) {
    size_t a_zeros = std::min(a.find_first_not_of('0'), a.size() - 1);
    size_t b_zeros = std::min(b.find_first_not_of('0'), b.size() - 1);
    std::string_view a_digits = a.substr(a_zeros), b_digits = b.substr(b_zeros);
    if (a_digits.size() != b_digits.size()) return a_digits.size() < b_digits.size() ? -1 : 1;
    if (int order = a_digits.compare(b_digits)) return order;
  }
  return a.compare(b);
}

bool path_less(const Measure& a, const Measure& b) {
  return std::lexicographical_compare(a.path.begin(), a.path.end(), b.path.begin(), b.path.end(),
                                      [](auto x, auto y) { return compare_names(x, y) < 0; });
}

// The latest event of each path, with all below a directory in one row.
std::vector<Measure> latest_by_path(const std::vector<MeasureEvent>& events) {
  std::vector<Measure> measures;
  measures.reserve(events.size());
  for (const auto& event : events) measures.push_back({split(event.path, '/'), &event});
  std::stable_sort(measures.begin(), measures.end(), path_less);
  std::vector<Measure> latest;
  for (auto& measure : measures) {
    if (!latest.empty() && latest.back().path == measure.path) latest.back() = std::move(measure);
    else latest.push_back(std::move(measure));
  }
  return latest;
}

bool begins_with(const std::vector<std::string_view>& path, const std::vector<std::string_view>& front) {
  return path.size() > front.size() && std::equal(front.begin(), front.end(), path.begin());
}

// Writes measures in the order of their paths, with the directories around them: no recursion,
// however deep the paths.
class MeasuresNester {
 public:
  explicit MeasuresNester(JsonWriter& json) : json_(json) { json_.open('{'); }

  void add(const Measure& measure, bool is_directory_too) {
    const auto& path = measure.path;
    size_t directories = path.size() - (is_directory_too ? 0 : 1);
    size_t same = 0;
    while (same < open_.size() && same < directories && open_[same] == path[same]) ++same;
    leave(same);
    for (size_t i = same; i < directories; ++i) enter(path[i]);
    json_.begin_member(is_directory_too ? std::string_view() : path.back());
    json_.raw(strict_json(measure.event->value.text));
  }
  void finish() {
    leave(0);
    json_.close('}');
  }

 private:
  void enter(std::string_view name) {
    json_.begin_member(name);
    json_.open('{');
    open_.push_back(name);
  }
  void leave(size_t depth) {
    for (; open_.size() > depth; open_.pop_back()) json_.close('}');
  }

  JsonWriter& json_;
  std::vector<std::string_view> open_;
};

}  // namespace

template <>
struct Shape<Events> {
  static void members(auto& json, auto& value) { json.required("events", value.events); }
};

std::string measures_object(const std::vector<MeasureEvent>& events) {
  JsonWriter json;
  MeasuresNester nester(json);
  std::vector<Measure> measures = latest_by_path(events);
  for (size_t i = 0; i < measures.size(); ++i)
    nester.add(measures[i], i + 1 < measures.size() && begins_with(measures[i + 1].path, measures[i].path));
  nester.finish();
  return json.take();
}

std::string measure_events_to_json(const std::vector<MeasureEvent>& events) {
  JsonWriter json;
  json.open('{');
  json.required("events", events);
  json.close('}');
  return json.take();
}

Result<std::vector<MeasureEvent>> measure_events_from_json(std::string_view json) {
  PLZ_ASSIGN(Events document, read_document<Events>(json));
  return std::move(document.events);
}

}  // namespace plz
