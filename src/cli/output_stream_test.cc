#include "cli/output_stream.h"

#include <csignal>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/fd.h"
#include "os/file.h"
#include "os/process.h"

namespace plz {
namespace {

TEST(OutputStream, WhatCannotBeWrittenIsNobodyElsesFault) {
  auto full = open_file("/dev/full", O_WRONLY);
  ASSERT_TRUE(full);
  OutputStream out(full->get());
  auto written = out.write("x");
  ASSERT_FALSE(written);
  // Not what a request is repeated for.
  EXPECT_EQ(written.error().code, ErrorCode::internal);
  EXPECT_THAT(written.error().message, testing::HasSubstr("cannot write to stdout: No space left"));
  ASSERT_TRUE(out.failure());
  EXPECT_FALSE(out.reader_gone());
}

TEST(OutputStream, AReaderThatHasGoneIsNoFailure) {
  signal(SIGPIPE, SIG_IGN);
  auto pipe = make_pipe();
  ASSERT_TRUE(pipe);
  pipe->out.reset();
  OutputStream out(pipe->in.get());
  auto written = out.write("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::cancelled);
  EXPECT_TRUE(out.reader_gone());
  EXPECT_FALSE(out.failure());
}

}  // namespace
}  // namespace plz
