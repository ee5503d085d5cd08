// What has happened lately, for GET /v1/events: server-sent events with ids to resume from.
// Kept in memory, the last few thousand; who resumes from further back, or from before a restart of the
// controller, is sent an event "reset" first and reads the state anew.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "controller/notifier.h"
#include "controller/pumped_stream.h"

namespace plz {

// Thread-safe.
class EventLog {
 public:
  EventLog(Notifier& notifier, const Clock& clock);

  // `data` is JSON on one line.
  void append(const std::string& topic, const std::string& data);

  // A stream of the events of these topics (empty: all) after `last_id` ("": from now on), as
  // text/event-stream, with a comment now and then so that a dead peer is noticed.
  std::unique_ptr<Producer> stream(std::set<std::string> topics, const std::string& last_id);

  static Uuid key();  // the notifier's key for "an event was appended"

 private:
  friend class EventProducer;
  struct Event {
    uint64_t number;
    std::string topic, data;
  };
  std::string id_of(uint64_t number) const;

  Notifier& notifier_;
  const std::string epoch_;  // of this run of the controller
  std::mutex mutex_;
  std::deque<Event> events_;
  uint64_t next_ = 1;
};

}  // namespace plz
