#include "controller/pumped_stream.h"

#include <mutex>

#include <gtest/gtest.h>

#include "controller/drain_test.h"

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
