#include "net/response_writer.h"

#include <strings.h>

#include <algorithm>
#include <ctime>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "net/status.h"

namespace plz {
namespace {

bool belongs_to_connection(const std::string& name) {
  static constexpr const char* kNames[] = {
      "Content-Length", "Transfer-Encoding", "Connection", "X-Request-Id", "Server", "Date"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const char* known) { return strcasecmp(known, name.c_str()) == 0; });
}

bool is_field(const std::string& name, const std::string& value) {
  constexpr std::string_view kBreaking("\r\n\0", 3);
  return !name.empty() && name.find_first_of(" :\t\r\n") == name.npos && value.find_first_of(kBreaking) == value.npos;
}

std::string http_date() {
  time_t now = time(nullptr);
  tm parts;
  gmtime_r(&now, &parts);
  // Not strftime: day and month are English whatever the locale.
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

std::string format_response_head(const Response& response, Framing framing, bool keep_alive,
                                 std::string_view request_id) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nServer: plz\r\nDate: {}\r\nX-Request-Id: {}\r\n", response.status,
                                 reason_phrase(response.status), http_date(), request_id);
  if (framing == Framing::length) head += fmt::format("Content-Length: {}\r\n", response.body.size());
  if (framing == Framing::chunked) head += "Transfer-Encoding: chunked\r\n";
  head += keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  for (const auto& [name, value] : response.headers.items()) {
    if (belongs_to_connection(name)) continue;
    if (is_field(name, value)) head += name + ": " + value + "\r\n";
    else log_error("left out of an answer a field that is none: {}: {}", printable(name), printable(value));
  }
  head += "\r\n";
  return head;
}

void Outbox::set(std::string head, std::string body, std::string_view tail) {
  head_ = std::move(head);
  body_ = std::move(body);
  count_ = 0;
  if (!head_.empty()) parts_[count_++] = {head_.data(), head_.size()};
  if (!body_.empty()) parts_[count_++] = {body_.data(), body_.size()};
  if (!tail.empty()) parts_[count_++] = {const_cast<char*>(tail.data()), tail.size()};
}

IoResult Outbox::write(Transport& transport) {
  size_t written = 0;
  while (count_ > 0) {
    IoResult result = transport.write(parts_, count_);
    if (result.state != IoResult::State::done) return {result.state, written, result.error_number};
    written += result.bytes;
    count_ = advance_parts(parts_, count_, result.bytes);
  }
  return {IoResult::State::done, written, 0};
}

std::string chunk_header(size_t bytes) { return fmt::format("{:x}\r\n", bytes); }

}  // namespace plz
