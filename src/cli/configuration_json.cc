#include "cli/configuration_json.h"

#include <iterator>
#include <optional>
#include <set>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace plz {
namespace {

constexpr int kMostDepth = 100;

// Tells how far the parser has read: it looks ahead after numbers only, so that at the end of a key's
// name the count is the offset behind its closing quote.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, size_t* read) : at_(at), read_(read) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*read_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  size_t* read_;
};

// What the parser's callback notices beside the syntax.
struct Notes {
  std::string_view text;
  size_t read = 0;
  std::vector<std::set<std::string>> keys;  // of each object that is open
  KeyPlaces places;
  std::optional<size_t> wrong_at;
  std::string wrong;

  void fault(size_t at, std::string what) {
    if (wrong_at) return;
    wrong_at = at;
    wrong = std::move(what);
  }
  size_t key_start() const {
    for (size_t at = read - 1; at-- > 0;)
      if (text[at] == '"' && (at == 0 || text[at - 1] != '\\')) return at;
    return 0;
  }
  void key(const std::string& name) {
    if (!keys.back().insert(name).second)
      fault(key_start(), fmt::format("the key \"{}\" is given twice", printable(name)));
    if (keys.size() == 1) places.emplace(name, place_in(text, key_start()));
  }
};

bool notice(Notes& notes, int depth, Json::parse_event_t event, const Json& parsed) {
  using Event = Json::parse_event_t;
  if (event == Event::object_start) notes.keys.emplace_back();
  if (event == Event::object_end && !notes.keys.empty()) notes.keys.pop_back();
  if (event == Event::key) notes.key(parsed.get_ref<const std::string&>());
  if (depth <= kMostDepth) return true;
  notes.fault(notes.read - 1, fmt::format("nested more than {} deep", kMostDepth));
  return event != Event::object_start && event != Event::array_start;
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing value -
// unexpected …": the place is said in our own way, and only the last part is for people.
std::string fault_words(std::string_view what) {
  for (std::string_view before : {"] ", ": syntax error while parsing "})
    if (size_t at = what.find(before); at != what.npos) what.remove_prefix(at + before.size());
  if (size_t dash = what.find(" - "); dash != what.npos) what.remove_prefix(dash + 3);
  return printable(what);
}

struct Fault {
  size_t offset;
  std::string words;
};

std::optional<Fault> parse(Notes& notes, Json& value) {
  const char* begin = notes.text.data();
  size_t ignored = 0;
  try {
    value = Json::parse(
        CountingIterator(begin, &notes.read), CountingIterator(begin + notes.text.size(), &ignored),
        [&](int depth, Json::parse_event_t event, Json& parsed) { return notice(notes, depth, event, parsed); });
  } catch (const Json::parse_error& error) {
    if (notes.wrong_at) return Fault{*notes.wrong_at, notes.wrong};
    return Fault{error.byte > 0 ? error.byte - 1 : 0, fault_words(error.what())};
  } catch (const Json::exception& error) {  // a number that no double holds
    return Fault{notes.read > 0 ? notes.read - 1 : 0, fault_words(error.what())};
  }
  if (notes.wrong_at) return Fault{*notes.wrong_at, notes.wrong};
  return std::nullopt;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// What people who write JSON by hand get wrong most.
std::string fault_hint(std::string_view text, size_t offset) {
  if (trim(text).empty()) return "the file must hold one JSON object; {} is the least";
  if (offset >= text.size()) return {};
  if (text[offset] == '#' || text[offset] == '/') return "JSON has no comments";
  if (text[offset] == '\'') return "JSON's strings stand in double quotes";
  bool closes = text[offset] == '}' || text[offset] == ']';
  return closes && trim(text.substr(0, offset)).ends_with(',') ? "JSON has no comma after the last member" : "";
}

}  // namespace

TextPlace place_in(std::string_view text, size_t offset) {
  TextPlace place;
  for (char byte : text.substr(0, offset)) {
    if (byte == '\n') place = {place.line + 1, 1};
    else if (!is_continuation(byte)) ++place.column;
  }
  return place;
}

Result<void> parse_configuration_json(std::string_view text, std::string_view source, Json& object, KeyPlaces& places) {
  Notes notes{.text = text};
  if (auto fault = parse(notes, object)) {
    TextPlace place = place_in(text, fault->offset);
    return fail(ErrorCode::invalid, fmt::format("{}:{}:{}: {}", source, place.line, place.column, fault->words),
                fault_hint(text, fault->offset));
  }
  if (!object.is_object())
    return fail(ErrorCode::invalid,
                fmt::format("{}:1:1: expected a JSON object, found {}", source, describe_json(object)));
  places = std::move(notes.places);
  return {};
}

Result<void> parse_configuration_value(std::string_view text, std::string_view source, Json& value) {
  Notes notes{.text = text};
  if (auto fault = parse(notes, value))
    return fail(ErrorCode::invalid, fmt::format("{} is not JSON: column {}: {}", source,
                                                place_in(text, fault->offset).column, fault->words));
  return {};
}

std::string describe_json(const Json& value) {
  auto shortened = [&] {
    std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (text.size() <= 60) return text;
    size_t end = 57;
    while (end > 0 && is_continuation(text[end])) --end;
    return text.substr(0, end) + "...";
  };
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::boolean: return value.get<bool>() ? "true" : "false";
    case Json::value_t::string: return "the string " + shortened();
    case Json::value_t::array: return value.empty() ? "an empty list" : "a list";
    case Json::value_t::object: return "an object";
    default: return "the number " + shortened();
  }
}

}  // namespace plz
