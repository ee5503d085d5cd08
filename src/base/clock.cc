#include "base/clock.h"

#include <charconv>
#include <cstdio>

namespace plz {

using std::chrono::microseconds;

Timestamp SystemClock::now() const {
  return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

FakeClock::FakeClock(Timestamp start) : now_(start.time_since_epoch().count()), steady_(0) {}

void FakeClock::advance(microseconds by) {
  now_ += by.count();
  steady_ += by.count();
}

void FakeClock::jump_to(Timestamp now) { now_ = now.time_since_epoch().count(); }

std::string format_rfc3339(Timestamp time) {
  auto days = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(days);
  std::chrono::hh_mm_ss clock(time - days);
  char text[48];
  snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
           static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
           static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

namespace {

// Reads exactly `width` digits at the front of `text` and drops them.
std::optional<int> take_digits(std::string_view& text, size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc() || end != text.data() + width || value < 0) return std::nullopt;
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  auto y = take_digits(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  auto mo = take_digits(text, 2);
  if (!mo || !take(text, "-")) return std::nullopt;
  auto d = take_digits(text, 2);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  auto h = take_digits(text, 2);
  if (!h || !take(text, ":")) return std::nullopt;
  auto mi = take_digits(text, 2);
  if (!mi || !take(text, ":")) return std::nullopt;
  auto s = take_digits(text, 2);
  if (!s || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  year_month_day date(year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d)));
  if (!date.ok()) return std::nullopt;
  Timestamp time = sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s);
  if (take(text, ".")) {
    int64_t unit = 100'000;
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      time += microseconds(unit * (text.front() - '0'));
      unit /= 10;
      text.remove_prefix(1);
    }
  }
  if (take(text, "Zz")) return text.empty() ? std::optional(time) : std::nullopt;
  bool west = !text.empty() && text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  auto oh = take_digits(text, 2);
  if (!oh || !take(text, ":")) return std::nullopt;
  auto om = take_digits(text, 2);
  if (!om || !text.empty()) return std::nullopt;
  auto offset = hours(*oh) + minutes(*om);
  return west ? time + offset : time - offset;
}

}  // namespace plz
