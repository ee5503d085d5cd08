#include "engine/engine_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plz::engine_errors {
namespace {

using testing::HasSubstr;

const EngineSettings kSocket{{.kind = Endpoint::Kind::unix_socket, .path = "/var/run/docker.sock"},
                             "the default socket"};
const EngineSettings kTls{{.kind = Endpoint::Kind::https, .host = "far", .port = 2376}, "DOCKER_HOST"};

TEST(EngineErrors, SayWhatToInstallWhereNobodyAnswers) {
  Error error =
      unreachable(kSocket, {ErrorCode::unavailable, "cannot connect to unix:/x: No such file or directory", {}});
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_THAT(error.message, HasSubstr("No such file or directory"));
  EXPECT_THAT(error.hint, HasSubstr("apt-get install docker.io"));
  EXPECT_THAT(error.hint, HasSubstr("sandbox"));
}

TEST(EngineErrors, SayWhichGroupToJoin) {
  Error error = unreachable(kSocket, {ErrorCode::invalid, "cannot connect to unix:/x: Permission denied", {}});
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_THAT(error.hint, HasSubstr("usermod -aG docker"));
  EXPECT_THAT(error.hint, HasSubstr("sandbox"));
}

TEST(EngineErrors, KeepTheWordsOfABrokenCall) {
  Error lost = unreachable(kSocket, {ErrorCode::unavailable, "lost the connection to unix:/x: closed", {}});
  EXPECT_EQ(lost.code, ErrorCode::unavailable);
  EXPECT_THAT(lost.message, HasSubstr("lost the connection"));
  EXPECT_EQ(unreachable(kSocket, {ErrorCode::timeout, "no answer for 60 s", {}}).code, ErrorCode::unavailable);
  EXPECT_EQ(unreachable(kSocket, {ErrorCode::cancelled, "stopped", {}}).code, ErrorCode::cancelled);
  Error tls = unreachable(kTls, {ErrorCode::invalid, "cannot use the certificate /c: no such file", {}});
  EXPECT_EQ(tls.code, ErrorCode::invalid);
  EXPECT_EQ(tls.message, "cannot use the certificate /c: no such file");
}

TEST(EngineErrors, AStatusSaysWhatTheCallerCanDecide) {
  struct Row {
    int status;
    const char* words;
    ErrorCode code;
  };
  for (const Row& row :
       {Row{400, "Unknown runtime specified x", ErrorCode::invalid},
        Row{403, "forbidden by a plugin", ErrorCode::invalid}, Row{404, "No such image: x", ErrorCode::not_found},
        Row{409, "the name is in use", ErrorCode::conflict},
        Row{500, "the container name \"x\" is already in use by 3f", ErrorCode::conflict},
        Row{500, "OCI runtime create failed", ErrorCode::internal},
        Row{500, "write /x: no space left on device", ErrorCode::unavailable},
        Row{503, "starting", ErrorCode::unavailable}}) {
    Error error = refused(row.status, row.words);
    EXPECT_EQ(error.code, row.code) << row.words;
    EXPECT_EQ(error.message, row.words);
  }
  EXPECT_THAT(refused(500, "").message, HasSubstr("500"));
  EXPECT_THAT(refused(500, "no space left on device").hint, HasSubstr("disk is full"));
}

TEST(EngineErrors, ATransferSaysWhetherToTryAgain) {
  struct Row {
    const char* words;
    ErrorCode code;
  };
  for (const Row& row :
       {Row{"manifest for debian:none not found: manifest unknown: manifest unknown", ErrorCode::not_found},
        Row{"pull access denied for x, repository does not exist or may require 'docker login': denied: requested "
            "access",
            ErrorCode::invalid},
        Row{"unauthorized: authentication required", ErrorCode::invalid},
        Row{"no matching manifest for linux/arm64 in the manifest list entries", ErrorCode::invalid},
        Row{"Get \"http://r/v2/\": dial tcp: connection refused", ErrorCode::unavailable},
        Row{"failed to register layer: no space left on device", ErrorCode::unavailable}})
    EXPECT_EQ(transfer_failed(row.words, {}).code, row.code) << row.words;
}

TEST(EngineErrors, ADeniedTransferSaysHowToLogIn) {
  constexpr const char* kDenied = "no basic auth credentials";
  EXPECT_THAT(transfer_failed(kDenied, {.server = "r:5000"}).hint,
              HasSubstr("If it is private: `docker login r:5000`"));
  EXPECT_THAT(transfer_failed(kDenied, {.server = "https://index.docker.io/v1/"}).hint, HasSubstr("`docker login`,"));
  EXPECT_THAT(transfer_failed(kDenied, {.server = "r:5000", .username = "ada", .password = "p"}).hint,
              HasSubstr("The login in use (ada) does not reach it: `docker login r:5000` again"));
  EXPECT_THAT(transfer_failed(kDenied, {.server = "r:5000", .identity_token = "t"}).hint, HasSubstr("(a token)"));
  EXPECT_THAT(transfer_failed(kDenied, {.server = "1.dkr.ecr.x.amazonaws.com", .username = "AWS"}).hint,
              HasSubstr("do the AWS keys in use allow it for 1.dkr.ecr.x.amazonaws.com?"));
  EXPECT_EQ(transfer_failed("manifest unknown", {}).hint, "");
}

TEST(EngineErrors, AFailedBuildIsTheRecipesFaultUnlessTheDiskIsFull) {
  EXPECT_EQ(build_failed("The command '/bin/sh -c false' returned a non-zero code: 1").code, ErrorCode::invalid);
  EXPECT_EQ(build_failed("write /var/lib/x: no space left on device").code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace plz::engine_errors
