#include "cli/patient_blobs.h"

#include <csignal>

#include <gmock/gmock.h>
#include <unistd.h>

#include "cli/scripted_session_test.h"
#include "store/hasher.h"
#include "store/pack_format.h"

namespace plz {
namespace {

using testing::ElementsAre;

class PatientBlobsTest : public testing::Test {
 protected:
  std::unique_ptr<PatientBlobs> open() {
    auto blobs = PatientBlobs::open(*scripted_.session, interrupt_, std::nullopt);
    EXPECT_TRUE(blobs);
    return std::move(*blobs);
  }

  // Refuses as an ending controller does, so many times, then answers.
  void answer_after(int refusals, const std::string& request, std::function<Response()> answer) {
    scripted_.answer(request, [this, refusals, answer](const testing_client::Asked&) {
      if (++times_asked_ > refusals) return answer();
      clock_.advance(refusal_takes_);
      return problem_response(Error{ErrorCode::unavailable, "ending", {}}, "r");
    });
  }

  static Response bytes(std::string body) {
    Response response;
    response.body = std::move(body);
    return response;
  }

  FakeClock clock_;
  std::chrono::milliseconds refusal_takes_{0};
  ScriptedSession scripted_{clock_};
  Interrupt interrupt_;
  int times_asked_ = 0;
};

TEST_F(PatientBlobsTest, AsksAgainAndLooksForTheController) {
  answer_after(2, "POST /v1/blobs/missing", [] { return bytes(std::string("\x01", 1)); });
  const Digest digest = digest_of("x");
  auto missing = open()->missing(std::span(&digest, 1));
  ASSERT_TRUE(missing) << missing.error().message;
  EXPECT_THAT(*missing, ElementsAre(true));
  EXPECT_EQ(scripted_.times_found, 3);
}

TEST_F(PatientBlobsTest, SaysOnceWhyItTriesAgain) {
  refusal_takes_ = std::chrono::seconds(1);
  answer_after(4, "POST /v1/packs", [] { return testing_client::json("{}"); });
  ASSERT_TRUE(open()->send_pack("pack"));
  EXPECT_EQ(scripted_.told(), "** ending; trying again\n");
}

TEST_F(PatientBlobsTest, SaysNothingOfAMoment) {
  answer_after(4, "POST /v1/packs", [] { return testing_client::json("{}"); });
  ASSERT_TRUE(open()->send_pack("pack"));
  EXPECT_EQ(scripted_.told(), "");
}

TEST_F(PatientBlobsTest, SendsThePackAgainAsItWas) {
  answer_after(1, "POST /v1/packs", [] { return testing_client::json("{}"); });
  ASSERT_TRUE(open()->send_pack("the whole pack"));
  for (const auto& asked : scripted_.server->asked()) EXPECT_EQ(asked.body, "the whole pack");
  EXPECT_EQ(times_asked_, 2);
}

TEST_F(PatientBlobsTest, FetchesOnlyWhatIsStillLacking) {
  const std::vector<Digest> digests = {digest_of("one"), digest_of("two")};
  scripted_.answer("POST /v1/blobs/fetch", [&](const testing_client::Asked& asked) {
    std::string pack;
    if (++times_asked_ == 1) return problem_response(Error{ErrorCode::unavailable, "ending", {}}, "r");
    for (const char* text : {"one", "two"})
      if (asked.body.find(digest_of(text).view()) != std::string::npos)
        append_blob_to_pack(pack, digest_of(text), text);
    return bytes(pack);
  });
  std::vector<std::string> received;
  auto fetched = open()->fetch(digests, [&](size_t index, std::string_view blob) -> Result<void> {
    received.push_back(std::to_string(index) + std::string(blob));
    return {};
  });
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_THAT(received, ElementsAre("0one", "1two"));
}

TEST_F(PatientBlobsTest, TheTimeOfACallThatWasUnderWayIsNotCounted) {
  refusal_takes_ = 2 * PatientBlobs::kPatience;
  answer_after(1, "POST /v1/packs", [] { return testing_client::json("{}"); });
  EXPECT_TRUE(open()->send_pack("the whole pack"));
  EXPECT_EQ(times_asked_, 2);
}

TEST_F(PatientBlobsTest, PatienceEnds) {
  refusal_takes_ = PatientBlobs::kPatience / 2 + std::chrono::milliseconds(1);
  answer_after(1'000'000, "POST /v1/packs", [] { return testing_client::json("{}"); });
  EXPECT_FALSE(open()->send_pack("the whole pack"));
  EXPECT_GE(times_asked_, 3);
}

TEST_F(PatientBlobsTest, WhatTheReceiverRefusesIsNotFetchedAgain) {
  const Digest digest = digest_of("one");
  scripted_.answer("POST /v1/blobs/fetch", [&](const testing_client::Asked&) {
    ++times_asked_;
    std::string pack;
    append_blob_to_pack(pack, digest, "one");
    return bytes(pack);
  });
  auto fetched = open()->fetch(std::span(&digest, 1), [](size_t, std::string_view) -> Result<void> {
    return fail(ErrorCode::unavailable, "the disk is full");
  });
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().message, "the disk is full");
  EXPECT_EQ(times_asked_, 1);
}

TEST_F(PatientBlobsTest, AnInterruptEndsThePatience) {
  answer_after(1'000'000, "POST /v1/blobs/missing", [] { return bytes(""); });
  kill(getpid(), SIGTERM);  // a background job of a plain shell ignores SIGINT
  const Digest digest = digest_of("x");
  auto missing = open()->missing(std::span(&digest, 1));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::unavailable);
}

TEST_F(PatientBlobsTest, OtherErrorsAreToldAtOnce) {
  const Digest digest = digest_of("x");
  auto missing = open()->missing(std::span(&digest, 1));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(scripted_.server->asked().size(), 1u);
}

}  // namespace
}  // namespace plz
