#include "controller/services/event_log.h"

#include <charconv>

#include <fmt/core.h>

namespace plz {
namespace {

constexpr size_t kKeptEvents = 4096;

}  // namespace

EventLog::EventLog(Notifier& notifier, const Clock& clock)
    : notifier_(notifier), epoch_(fmt::format("{:x}", clock.now().time_since_epoch().count())) {}

Uuid EventLog::key() {
  static const Uuid key = *Uuid::parse("00000000-0000-7000-8000-000000000e7e");
  return key;
}

std::string EventLog::id_of(uint64_t number) const { return fmt::format("{}.{}", epoch_, number); }

void EventLog::append(const std::string& topic, const std::string& data) {
  {
    std::lock_guard lock(mutex_);
    events_.push_back({next_++, topic, data});
    if (events_.size() > kKeptEvents) events_.pop_front();
  }
  notifier_.notify(key());
}

class EventProducer final : public Producer {
 public:
  EventProducer(EventLog& log, std::set<std::string> topics, uint64_t after, bool reset)
      : log_(log), topics_(std::move(topics)), after_(after), reset_(reset) {}

  void on_wake(std::function<void()> wake) override {
    subscription_ = log_.notifier_.subscribe(EventLog::key(), std::move(wake));
  }

  State produce(std::string& piece, size_t target_bytes) override {
    std::lock_guard lock(log_.mutex_);
    if (!begun_) {
      // Something at once, so that the peer knows it is connected.
      piece += ": plz\n\n";
      begun_ = true;
    }
    if (!log_.events_.empty() && after_ + 1 < log_.events_.front().number) reset_ = true;
    if (reset_) {
      piece += "event: reset\ndata: {}\n\n";
      reset_ = false;
      after_ = log_.next_ - 1;
    }
    for (const auto& event : log_.events_) {
      if (event.number <= after_) continue;
      after_ = event.number;
      if (!topics_.empty() && !topics_.contains(event.topic)) continue;
      piece += fmt::format("id: {}\nevent: {}\ndata: {}\n\n", log_.id_of(event.number), event.topic, event.data);
      if (piece.size() >= target_bytes) break;
    }
    return piece.empty() ? State::waiting : State::data;
  }

 private:
  EventLog& log_;
  const std::set<std::string> topics_;
  uint64_t after_;
  bool reset_;
  bool begun_ = false;
  std::shared_ptr<void> subscription_;
};

std::unique_ptr<Producer> EventLog::stream(std::set<std::string> topics, const std::string& last_id) {
  std::lock_guard lock(mutex_);
  uint64_t after = next_ - 1;
  bool reset = false;
  if (!last_id.empty()) {
    size_t dot = last_id.find('.');
    uint64_t number = 0;
    if (dot != std::string::npos) std::from_chars(last_id.data() + dot + 1, last_id.data() + last_id.size(), number);
    reset = dot == std::string::npos || last_id.substr(0, dot) != epoch_ || number >= next_;
    if (!reset) after = number;
  }
  return std::make_unique<EventProducer>(*this, std::move(topics), after, reset);
}

}  // namespace plz
