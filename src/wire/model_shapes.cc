#include "wire/model_shapes.h"

#include <unordered_set>

#include "base/text.h"
#include "wire/json_text.h"

namespace plz {
namespace {

// {"range": [from, to]}: of a part of a composite.
struct Indices {
  std::optional<IndexRange> range;
};

bool can_be_object(const EnvironmentVariables& variables) {
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : variables)
    if (!is_valid_utf8(name) || !names.insert(name).second) return false;
  return true;
}

void read_pairs(JsonReader& json, std::string_view name, EnvironmentVariables& variables) {
  std::vector<std::vector<std::string>> pairs;
  json.required(name, pairs);
  for (auto& pair : pairs) {
    if (pair.size() != 2) return json.problem(name, "must hold pairs of a name and a value");
    variables.emplace_back(std::move(pair[0]), std::move(pair[1]));
  }
}

}  // namespace

template <>
struct Shape<Indices> {
  static void members(auto& json, auto& value) { range(json, "range", value.range); }
};

// Reads the members of any object as variables, in their order.
template <>
struct Shape<EnvironmentVariables> {
  static void members(JsonReader& json, EnvironmentVariables& variables) {
    for (const auto& [name, text] : json.members()) {
      auto& variable = variables.emplace_back(name, "");
      json.read(JsonPlace{&json.place(), name}, text, variable.second);
    }
  }
};

void write_variables(JsonWriter& json, std::string_view name, const EnvironmentVariables& variables) {
  json.begin_member(name);
  bool object = can_be_object(variables);
  json.open(object ? '{' : '[');
  for (const auto& [variable, value] : variables) {
    if (object) {
      json.required(variable, value);
    } else {
      json.comma();
      json.write(std::vector<std::string>{variable, value});
    }
  }
  json.close(object ? '}' : ']');
}

void read_variables(JsonReader& json, std::string_view name, EnvironmentVariables& variables) {
  variables.clear();
  JsonText raw;
  json.optional(name, raw);
  if (raw.text == "null") return;
  if (raw.text.front() == '[') return read_pairs(json, name, variables);
  json.read_object(name, variables);
}

void range(JsonWriter& json, std::string_view name, const std::optional<IndexRange>& value) {
  if (value) json.required(name, std::vector<int64_t>{value->from, value->to});
  else json.required(name, JsonText{});
}

void range(JsonReader& json, std::string_view name, std::optional<IndexRange>& value) {
  std::optional<std::vector<int64_t>> ends;
  json.optional(name, ends);
  if (!ends) return;
  if (ends->size() == 2 && (*ends)[0] < (*ends)[1]) value = IndexRange{(*ends)[0], (*ends)[1]};
  else json.problem(name, "must be [from, to], with from less than to");
}

void Shape<ExecutionSpec>::indices(JsonWriter& json, const std::optional<IndexRange>& value) {
  json.required("indices", value ? std::optional<Indices>(Indices{value}) : std::nullopt);
}

void Shape<ExecutionSpec>::indices(JsonReader& json, std::optional<IndexRange>& value) {
  std::optional<Indices> indices;
  json.optional("indices", indices);
  if (indices) value = indices->range;
}

void Shape<MeasureEvent>::members(JsonWriter& json, const MeasureEvent& event) {
  json.required("sequence", event.sequence);
  json.required("path", event.path);
  json.required("time", event.time);
  // NaN and Infinity are not JSON: such a value is shown, and its text stands beside it.
  if (check_json(event.value.text, JsonDialect::strict)) {
    json.required("value", event.value);
  } else {
    json.required("value", JsonText{strict_json(event.value.text)});
    json.required("text", event.value.text);
  }
  json.required("index", event.index);
}

void Shape<MeasureEvent>::members(JsonReader& json, MeasureEvent& event) {
  json.required("sequence", event.sequence);
  json.required("path", event.path);
  json.required("time", event.time);
  json.required("value", event.value);
  if (std::optional<std::string> text; json.optional("text", text), text) {
    if (is_measure_json(*text)) event.value.text = std::move(*text);
    else json.problem("text", "must be the JSON that a job wrote");
  }
  json.optional("index", event.index);
}

}  // namespace plz
