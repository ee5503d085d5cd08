// A FileLogStore in a directory of its own, with one log.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "logs/file_log_store.h"
#include "os/temporary_directory_test.h"

namespace plz {

class FileLogStoreFixture : public ::testing::Test {
 protected:
  FileLogStoreFixture() { reopen(); }
  void reopen() {
    store_.reset();
    store_ = std::move(*FileLogStore::open(directory_));
  }
  std::string path(std::string_view suffix = ".log") {
    std::string name = log_.to_string();
    return directory_ + "/" + name.substr(34) + "/" + name + std::string(suffix);
  }

  FakeClock clock_;
  const TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path();
  std::unique_ptr<LogStore> store_;
  Uuid log_ = Uuid::make_v7(clock_);
};

}  // namespace plz
