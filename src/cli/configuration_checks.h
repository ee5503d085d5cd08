// What values the keys take: the checks that configuration_keys.cc puts into its table.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "cli/configuration_keys.h"

namespace plz::check {

using Problem = std::optional<ValueProblem>;

Problem expected(const std::string& at, std::string_view what, const Json& value);

Problem boolean(const std::string& at, const Json& value);
Problem boolean_or_null(const std::string& at, const Json& value);
Problem printable_text(const std::string& at, const Json& value);  // not empty, UTF-8, no control characters
Problem text(const std::string& at, const Json& value);            // not empty, no NUL
Problem integer_between(int64_t low, int64_t high, const std::string& at, const Json& value);
Problem one_of(std::initializer_list<std::string_view> words, const std::string& at, const Json& value);
Problem object(const std::string& at, const Json& value);
Problem list_of_texts(const std::string& at, const Json& value);

Problem host(const std::string& at, const Json& value);
Problem port(const std::string& at, const Json& value);
Problem connection_info(const std::string& at, const Json& value);
Problem command(const std::string& at, const Json& value);
Problem input(const std::string& at, const Json& value);
Problem parameters(const std::string& at, const Json& value);
Problem market_type(const std::string& at, const Json& value);
Problem bid(const std::string& at, const Json& value);
Problem minutes(const std::string& at, const Json& value);
Problem docker_run_args(const std::string& at, const Json& value);
Problem environment(const std::string& at, const Json& value);
Problem outputs(const std::string& at, const Json& value);
Problem index_range(const std::string& at, const Json& value);
Problem positive_integer(const std::string& at, const Json& value);
Problem resources(const std::string& at, const Json& value);
Problem safe_directories(const std::string& at, const Json& value);
Problem runtime(const std::string& at, const Json& value);
Problem log_level(const std::string& at, const Json& value);

}  // namespace plz::check
