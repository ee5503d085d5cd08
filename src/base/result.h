// Errors as values. A function that can fail returns Result<T>; absence is not an error and is
// expressed in T (Result<std::optional<Blob>>).
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace plz {

// Says what the caller can decide, not where the error came from.
enum class ErrorCode {
  invalid,      // the request or the input is wrong: repeating it unchanged cannot help
  not_found,    // the thing named does not exist
  conflict,     // it exists, or its state forbids this
  unavailable,  // a peer, a disk or a service cannot do it now: trying again later may help
  timeout,      // a deadline passed
  cancelled,    // the caller asked for the end
  internal,     // a defect, or an error of the system that nobody foresaw
  damaged,      // what was stored is not what it was: it has to be stored again
  never_met,    // it asks for more than anybody here could ever give, even if nothing else ran
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // a sentence without a final full stop: what, where
  std::string hint;     // what to do about it; may be empty

  // The same error with words put before: "opening x: permission denied".
  Error with_context(std::string_view words) && {
    message.insert(0, std::string(words) + ": ");
    return std::move(*this);
  }
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

std::string_view to_string(ErrorCode code);

}  // namespace plz

#define PLZ_CONCAT_INNER(a, b) a##b
#define PLZ_CONCAT(a, b) PLZ_CONCAT_INNER(a, b)

// PLZ_TRY(expression): returns the error of a Result<void> to the caller.
#define PLZ_TRY(...)                                                        \
  do {                                                                      \
    if (auto plz_result = (__VA_ARGS__); !plz_result)                       \
      return ::tl::unexpected<::plz::Error>(std::move(plz_result).error()); \
  } while (false)

// PLZ_ASSIGN(auto x, expression): x is the value, or the error goes to the caller.
#define PLZ_ASSIGN(declaration, ...) PLZ_ASSIGN_INNER(PLZ_CONCAT(plz_result_, __LINE__), declaration, __VA_ARGS__)
#define PLZ_ASSIGN_INNER(name, declaration, ...)                             \
  auto name = (__VA_ARGS__);                                                 \
  if (!name) return ::tl::unexpected<::plz::Error>(std::move(name).error()); \
  declaration = std::move(*name)
