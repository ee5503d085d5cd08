#include "net/event_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace plz {

namespace asio = boost::asio;
using boost::system::error_code;

struct EventLoop::State {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {}
EventLoop::~EventLoop() = default;
void EventLoop::run() { state_->context.run(); }
void EventLoop::stop() { state_->context.stop(); }
void EventLoop::post(std::function<void()> task) { asio::post(state_->context, std::move(task)); }

struct FdWatch::State {
  explicit State(asio::io_context& context) : descriptor(context) {}
  void wait(asio::posix::stream_descriptor::wait_type type, std::function<void()> then) {
    descriptor.async_wait(type, [then = std::move(then)](const error_code& error) {
      if (error != asio::error::operation_aborted) then();
    });
  }
  asio::posix::stream_descriptor descriptor;
};

FdWatch::FdWatch(EventLoop& loop, int fd) : state_(std::make_unique<State>(loop.state().context)) {
  error_code error;
  state_->descriptor.assign(fd, error);
}

FdWatch::~FdWatch() {
  // Not closed: the descriptor is another's.
  if (state_->descriptor.is_open()) state_->descriptor.release();
}

bool FdWatch::is_watching() const { return state_->descriptor.is_open(); }

void FdWatch::when_readable(std::function<void()> then) {
  state_->wait(asio::posix::stream_descriptor::wait_read, std::move(then));
}

void FdWatch::when_writable(std::function<void()> then) {
  state_->wait(asio::posix::stream_descriptor::wait_write, std::move(then));
}

struct LoopTimer::State {
  explicit State(asio::io_context& context) : timer(context) {}
  asio::steady_timer timer;
};

LoopTimer::LoopTimer(EventLoop& loop) : state_(std::make_unique<State>(loop.state().context)) {}
LoopTimer::~LoopTimer() = default;

void LoopTimer::after(std::chrono::milliseconds delay, std::function<void()> then) {
  state_->timer.expires_after(delay);
  state_->timer.async_wait([then = std::move(then)](const error_code& error) {
    if (!error) then();
  });
}

}  // namespace plz
