#include "engine/run_argument_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engine/shell_words.h"

namespace plz::run_argument_values {
namespace {

using Convert = Result<Json> (*)(const Json&);

std::string shown(const Json& value) {
  return printable(value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 100));
}

tl::unexpected<Error> must_be(std::string_view what, const Json& value) {
  return fail(ErrorCode::invalid, fmt::format("must be {}, and is {}", what, shown(value)));
}

// As Python's str() has it.
std::string python_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  return value.dump();
}

bool is_plain(const Json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

Result<Json> each(const Json& value, std::string_view what, Convert convert) {
  if (!value.is_array()) return must_be(what, value);
  Json list = Json::array();
  for (const Json& item : value) {
    PLZ_ASSIGN(Json converted, convert(item));
    list.push_back(std::move(converted));
  }
  return list;
}

// The arguments of one of the SDK's types: each may be named as in Python or as in the API.
struct Field {
  const char *python, *api;
  Convert convert;
  Json absent;  // what the SDK puts where it is not given
};

Result<Json> fields(const Json& value, std::string_view what, std::initializer_list<Field> known) {
  if (!value.is_object()) return must_be(what, value);
  Json made = Json::object();
  size_t used = 0;
  for (const Field& field : known) {
    auto found = value.find(field.python);
    if (found == value.end()) found = value.find(field.api);
    made[field.api] = field.absent;
    if (found == value.end()) continue;
    ++used;
    if (found->is_null()) continue;
    auto converted = field.convert(*found);
    if (!converted) return fail(std::move(converted).error().with_context(field.python));
    made[field.api] = std::move(*converted);
  }
  if (used == value.size()) return made;
  std::string names;
  for (const Field& field : known) names += (names.empty() ? "" : ", ") + std::string(field.python);
  return must_be(fmt::format("{} with the members {}", what, names), value);
}

int64_t unit_of(char suffix) {
  constexpr std::string_view kUnits = "bkmgt";
  size_t at = kUnits.find(static_cast<char>(suffix | 0x20));
  return at == kUnits.npos ? 0 : int64_t{1} << (10 * at);
}

Result<Json> bind_of(const std::string& host, const Json& value) {
  if (value.is_string()) return Json(host + ":" + value.get<std::string>() + ":rw");
  if (!value.is_object() || !value.contains("bind") || !value["bind"].is_string())
    return must_be("an object from a path or a volume to {\"bind\": PATH, \"mode\": \"rw\"}", value);
  std::string mode = "rw";
  if (value.contains("ro")) mode = value["ro"].is_boolean() && value["ro"].get<bool>() ? "ro" : "rw";
  else if (value.contains("mode")) mode = python_text(value["mode"]);
  return Json(fmt::format("{}:{}:{}", host, value["bind"].get<std::string>(), mode));
}

Result<Json> texts_of_texts(const Json& value) { return each(value, "a list of lists of strings", texts); }

Result<Json> any_object(const Json& value) {
  return value.is_object() ? Result<Json>(value) : must_be("an object", value);
}

// Booleans and members that are not set are left out, as the SDK does.
void drop_unset(Json& object) {
  for (auto at = object.begin(); at != object.end();)
    at = at->is_null() || (at->is_boolean() && !at->get<bool>() && at.key() != "ReadOnly") ? object.erase(at)
                                                                                           : std::next(at);
}

Result<Json> mount(const Json& value) {
  bool is_api = value.is_object() && value.contains("Target");
  if (is_api) return value;
  PLZ_ASSIGN(Json all, fields(value, "an object, as docker.types.Mount takes it,",
                              {{"target", "Target", text, nullptr},
                               {"source", "Source", text, nullptr},
                               {"type", "Type", text, "volume"},
                               {"read_only", "ReadOnly", boolean, false},
                               {"consistency", "Consistency", text, nullptr},
                               {"propagation", "Propagation", text, nullptr},
                               {"no_copy", "NoCopy", boolean, nullptr},
                               {"labels", "Labels", text_members, nullptr},
                               {"driver_config", "DriverConfig", any_object, nullptr},
                               {"tmpfs_size", "SizeBytes", bytes, nullptr},
                               {"tmpfs_mode", "Mode", integer, nullptr}}));
  if (all["Target"].is_null()) return must_be("an object with a member target", value);
  const Json type = all["Type"];
  if (type != "bind" && type != "volume" && type != "tmpfs")
    return must_be("a mount of type bind, volume or tmpfs", value);
  auto take_options = [&](const char* options, const char* of, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (type == of && !all[name].is_null()) all[options][name] = all[name];
      if (type == of || all[name].is_null()) all.erase(name);
    }
  };
  take_options("BindOptions", "bind", {"Propagation"});
  take_options("VolumeOptions", "volume", {"NoCopy", "Labels", "DriverConfig"});
  take_options("TmpfsOptions", "tmpfs", {"SizeBytes", "Mode"});
  for (const char* name : {"Propagation", "NoCopy", "Labels", "DriverConfig", "SizeBytes", "Mode"})
    if (all.contains(name)) return must_be("a mount without options of another type", value);
  drop_unset(all);
  return all;
}

Result<Json> device(const Json& value) {
  if (value.is_object()) return value;
  if (!value.is_string()) return must_be("a list of HOST[:PATH[:rwm]]", value);
  const std::string whole = value.get<std::string>();
  auto parts = split(whole, ':');
  return Json{{"PathOnHost", parts[0]},
              {"PathInContainer", parts.size() > 1 ? parts[1] : parts[0]},
              {"CgroupPermissions", parts.size() > 2 ? parts[2] : "rwm"}};
}

Result<Json> device_request(const Json& value) {
  return fields(value, "an object, as docker.types.DeviceRequest takes it,",
                {{"driver", "Driver", text, ""},
                 {"count", "Count", integer, 0},
                 {"device_ids", "DeviceIDs", texts, Json::array()},
                 {"capabilities", "Capabilities", texts_of_texts, Json::array()},
                 {"options", "Options", text_members, Json::object()}});
}

Result<Json> ulimit(const Json& value) {
  return fields(
      value, "an object",
      {{"name", "Name", text, nullptr}, {"soft", "Soft", integer, nullptr}, {"hard", "Hard", integer, nullptr}});
}

Result<Json> port_binding(const Json& value) {
  if (value.is_object()) return value;
  if (!value.is_null() && !is_plain(value)) return must_be("a port", value);
  return Json{{"HostIp", ""}, {"HostPort", value.is_null() ? std::string() : python_text(value)}};
}

Result<Json> health_test(const Json& value) {
  if (value.is_string()) return Json{"CMD-SHELL", value};
  return texts(value);
}

}  // namespace

Result<Json> text(const Json& value) { return value.is_string() ? Result<Json>(value) : must_be("a string", value); }

Result<Json> text_or_number(const Json& value) {
  bool fits = value.is_string() || value.is_number_integer();
  return fits ? Result<Json>(python_text(value)) : must_be("a string or a number", value);
}

Result<Json> integer(const Json& value) {
  return value.is_number_integer() ? Result<Json>(value) : must_be("a whole number", value);
}

Result<Json> boolean(const Json& value) {
  return value.is_boolean() ? Result<Json>(value) : must_be("true or false", value);
}

Result<Json> bytes(const Json& value) {
  constexpr std::string_view kWhat = "a number of bytes, or a string like 512m or 2g";
  if (value.is_number_integer()) return value;
  if (value.is_number_float() && std::abs(value.get<double>()) < 9e18)
    return Json(static_cast<int64_t>(value.get<double>()));
  if (!value.is_string()) return must_be(kWhat, value);
  std::string digits = value.get<std::string>();
  auto is_letter = [&](size_t from_end) {
    return digits.size() >= from_end && isalpha(static_cast<unsigned char>(digits[digits.size() - from_end]));
  };
  if (is_letter(1) && is_letter(2) && (digits.back() | 0x20) == 'b') digits.pop_back();
  int64_t unit = 1;
  if (is_letter(1)) {
    unit = unit_of(digits.back());
    digits.pop_back();
  }
  double number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool is_number = error == std::errc() && end == digits.data() + digits.size() && unit > 0;
  if (!is_number || std::abs(number * static_cast<double>(unit)) >= 9e18) return must_be(kWhat, value);
  return Json(static_cast<int64_t>(number * static_cast<double>(unit)));
}

Result<Json> texts(const Json& value) { return each(value, "a list of strings", text); }
Result<Json> texts_or_numbers(const Json& value) { return each(value, "a list of names or numbers", text_or_number); }
Result<Json> objects(const Json& value) { return each(value, "a list of objects", any_object); }

Result<Json> texts_by_comma(const Json& value) {
  if (!value.is_string()) return texts(value);
  Json list = Json::array();
  const std::string whole = value.get<std::string>();
  for (std::string_view part : split(whole, ',')) list.push_back(part);
  return list;
}

Result<Json> words(const Json& value) {
  if (!value.is_string()) return texts(value);
  PLZ_ASSIGN(std::vector<std::string> split_words, split_shell_words(value.get<std::string>()));
  return Json(split_words);
}

Result<Json> text_members(const Json& value) {
  if (!value.is_object()) return must_be("an object of strings", value);
  for (const Json& member : value)
    if (!member.is_string()) return must_be("an object of strings", value);
  return value;
}

Result<Json> value_members(const Json& value) {
  if (!value.is_object()) return must_be("an object", value);
  Json made = Json::object();
  for (const auto& [name, member] : value.items()) {
    if (!is_plain(member)) return must_be("an object of strings and numbers", value);
    made[name] = python_text(member);
  }
  return made;
}

Result<Json> host_word(const Json& value) { return value == "host" ? Result<Json>(value) : must_be("\"host\"", value); }

Result<Json> environment(const Json& value) {
  if (value.is_array()) return texts(value);
  if (!value.is_object()) return must_be("an object, or a list of NAME=VALUE", value);
  Json list = Json::array();
  for (const auto& [name, member] : value.items()) {
    if (!member.is_null() && !is_plain(member)) return must_be("an object of strings and numbers", value);
    list.push_back(member.is_null() ? name : name + "=" + python_text(member));
  }
  return list;
}

Result<Json> labels(const Json& value) {
  if (!value.is_array()) return text_members(value);
  PLZ_ASSIGN(Json names, texts(value));
  Json made = Json::object();
  for (const Json& name : names) made[name.get<std::string>()] = "";
  return made;
}

Result<Json> volumes(const Json& value) {
  if (value.is_array()) return texts(value);
  if (!value.is_object()) return must_be("an object, or a list of HOST:PATH[:MODE]", value);
  Json list = Json::array();
  for (const auto& [host, member] : value.items()) {
    PLZ_ASSIGN(Json bind, bind_of(host, member));
    list.push_back(std::move(bind));
  }
  return list;
}

Result<Json> mounts(const Json& value) { return each(value, "a list of mounts", mount); }
Result<Json> devices(const Json& value) { return each(value, "a list of HOST[:PATH[:rwm]]", device); }
Result<Json> device_requests(const Json& value) { return each(value, "a list of device requests", device_request); }

Result<Json> ulimits(const Json& value) {
  PLZ_ASSIGN(Json list, each(value, "a list of {\"name\", \"soft\", \"hard\"}", ulimit));
  for (const Json& one : list)
    if (one["Name"].is_null()) return must_be("a list of limits, each with its name", value);
  return list;
}

Result<Json> tmpfs(const Json& value) {
  if (value.is_object()) return text_members(value);
  PLZ_ASSIGN(Json list, texts(value));
  Json made = Json::object();
  for (const Json& item : list) {
    std::string whole = item.get<std::string>();
    size_t colon = whole.find(':');
    made[whole.substr(0, colon)] = colon == whole.npos ? "" : whole.substr(colon + 1);
  }
  return made;
}

Result<Json> extra_hosts(const Json& value) {
  if (value.is_array()) return texts(value);
  PLZ_ASSIGN(Json members, text_members(value));
  Json list = Json::array();
  for (const auto& [name, address] : members.items()) list.push_back(name + ":" + address.get<std::string>());
  return list;
}

Result<Json> links(const Json& value) {
  Json list = Json::array();
  auto add = [&](const std::string& container, const Json& alias) {
    bool named = alias.is_string() && !alias.get_ref<const std::string&>().empty();
    list.push_back(named ? container + ":" + alias.get<std::string>() : container);
  };
  if (value.is_object()) {
    for (const auto& [container, alias] : value.items()) add(container, alias);
    return list;
  }
  if (!value.is_array()) return must_be("an object from container to alias, or a list of pairs", value);
  for (const Json& pair : value) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string()) return must_be("a list of pairs", value);
    add(pair[0].get<std::string>(), pair[1]);
  }
  std::sort(list.begin(), list.end());
  return list;
}

Result<Json> log_config(const Json& value) {
  return fields(value, "an object, as docker.types.LogConfig takes it,",
                {{"type", "Type", text, nullptr}, {"config", "Config", text_members, Json::object()}});
}

Result<Json> healthcheck(const Json& value) {
  return fields(value, "an object, as docker.types.Healthcheck takes it,",
                {{"test", "Test", health_test, nullptr},
                 {"interval", "Interval", integer, nullptr},
                 {"timeout", "Timeout", integer, nullptr},
                 {"retries", "Retries", integer, nullptr},
                 {"start_period", "StartPeriod", integer, nullptr}});
}

Result<Json> port_bindings(const Json& value) {
  if (!value.is_object()) return must_be("an object from a port to one of the host", value);
  Json made = Json::object();
  for (const auto& [port, member] : value.items()) {
    std::string key = port.find('/') == port.npos ? port + "/tcp" : port;
    Json one = member.is_array() ? member : Json::array({member});
    PLZ_ASSIGN(made[key], each(one, "a port, or a list of ports", port_binding));
  }
  return made;
}

}  // namespace plz::run_argument_values
