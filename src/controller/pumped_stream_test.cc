#include "controller/pumped_stream.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

namespace plz {
namespace {

// Hands out the pieces it was given, and waits where there is none yet.
class ScriptedProducer final : public Producer {
 public:
  struct Script {
    std::mutex mutex;
    std::vector<std::string> pieces;
    bool ended = false;
    std::function<void()> wake;
    void add(std::string piece) {
      std::function<void()> call;
      {
        std::lock_guard lock(mutex);
        pieces.push_back(std::move(piece));
        call = wake;
      }
      if (call) call();
    }
    void end() {
      std::function<void()> call;
      {
        std::lock_guard lock(mutex);
        ended = true;
        call = wake;
      }
      if (call) call();
    }
  };
  explicit ScriptedProducer(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  void on_wake(std::function<void()> wake) override {
    std::lock_guard lock(script_->mutex);
    script_->wake = std::move(wake);
  }
  State produce(std::string& piece, size_t) override {
    std::lock_guard lock(script_->mutex);
    if (next_ < script_->pieces.size()) {
      piece = script_->pieces[next_++];
      return State::data;
    }
    return script_->ended ? State::end : State::waiting;
  }

 private:
  std::shared_ptr<Script> script_;
  size_t next_ = 0;
};

// Pulls as the event loop does: when woken, until there is nothing.
std::string drain(StreamSource& source) {
  struct Bell {
    std::mutex mutex;
    std::condition_variable woken;
    bool wake = true;
  };
  // A stream may still be ringing when its last piece has been taken.
  auto bell = std::make_shared<Bell>();
  source.on_wake([bell] {
    std::lock_guard lock(bell->mutex);
    bell->wake = true;
    bell->woken.notify_one();
  });
  std::string all;
  for (;;) {
    {
      std::unique_lock lock(bell->mutex);
      bell->woken.wait(lock, [&] { return bell->wake; });
      bell->wake = false;
    }
    for (;;) {
      std::string piece;
      auto state = source.pull(piece, 1000);
      all += piece;
      if (state == StreamSource::State::end) return all;
      if (state == StreamSource::State::failed) return all + "!";
      if (state == StreamSource::State::waiting) break;
    }
  }
}

TEST(PumpedStream, DeliversEveryPieceInOrder) {
  TaskPool pool(2);
  auto script = std::make_shared<ScriptedProducer::Script>();
  auto source = pump(pool, std::make_unique<ScriptedProducer>(script));
  std::string expected;
  std::jthread writer([&] {
    for (int i = 0; i < 5'000; ++i) script->add(std::to_string(i) + " ");
    script->end();
  });
  for (int i = 0; i < 5'000; ++i) expected += std::to_string(i) + " ";
  EXPECT_EQ(drain(*source), expected);
}

TEST(PumpedStream, MayBeDroppedWhileItsProducerWaits) {
  TaskPool pool(1);
  auto script = std::make_shared<ScriptedProducer::Script>();
  auto source = pump(pool, std::make_unique<ScriptedProducer>(script));
  source->on_wake([] {});
  std::string piece;
  source->pull(piece, 1000);
  source.reset();
  script->add("nobody reads this");
}

}  // namespace
}  // namespace plz
