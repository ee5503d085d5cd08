#include "environment/login/docker_config_login.h"

#include <gtest/gtest.h>

#include "environment/login/docker_config.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

class DockerConfigLoginTest : public testing::Test {
 protected:
  Result<RegistryCredentials> ask(const std::string& server) {
    DockerConfigLogin login(directory_.path(), {"PATH=" + directory_.path() + ":/usr/bin:/bin"},
                            std::chrono::seconds(20));
    return login.credentials_for(server);
  }
  void config(const std::string& text) { directory_.write("config.json", text); }
  void helper(const std::string& name, const std::string& script) {
    directory_.write("docker-credential-" + name, "#!/bin/sh\n" + script, 0755);
  }
  std::string words(const std::string& server) {
    auto credentials = ask(server);
    if (!credentials) return std::string(to_string(credentials.error().code)) + ": " + credentials.error().message;
    return credentials->server + " " + credentials->username + "/" + credentials->password + "/" +
           credentials->identity_token;
  }

  TemporaryDirectory directory_;
};

TEST_F(DockerConfigLoginTest, WithoutAFileNobodyIsLoggedIn) {
  EXPECT_EQ(words("host:5000"), "host:5000 //");
  EXPECT_EQ(words("docker.io"), "https://index.docker.io/v1/ //");
}

TEST_F(DockerConfigLoginTest, ReadsAuths) {
  // ada:se:cret, and an old spelling of a host.
  config(
      R"({"auths": {"host:5000": {"auth": "YWRhOnNlOmNyZXQ="}, "https://old.example/v1/": {"auth": "YWRhOnNlOmNyZXQ="},
             "https://index.docker.io/v1/": {"auth": "YWRhOnNlOmNyZXQ=", "identitytoken": "tok"},
             "plain": {"username": "u", "password": "p"}, "empty": {}}, "HttpHeaders": {"a": "b"}})");
  EXPECT_EQ(words("host:5000"), "host:5000 ada/se:cret/");
  EXPECT_EQ(words("old.example"), "old.example ada/se:cret/");
  EXPECT_EQ(words("docker.io"), "https://index.docker.io/v1/ ada/se:cret/tok");
  EXPECT_EQ(words("plain"), "plain u/p/");
  EXPECT_EQ(words("empty"), "empty //");
  EXPECT_EQ(words("other"), "other //");
}

TEST_F(DockerConfigLoginTest, AsksCredentialPrograms) {
  config(R"({"auths": {"host:5000": {"auth": "YWRhOnNlOmNyZXQ="}, "mine": {}}, "credsStore": "store",
             "credHelpers": {"cloud.example": "cloud"}})");
  helper("store",
         "read server; [ $1 = get ] || exit 9\n"
         "case $server in mine) echo '{\"Username\": \"<token>\", \"Secret\": \"t\"}';;\n"
         "*) echo 'credentials not found in native keychain'; exit 1;; esac\n");
  helper("cloud", "read server; echo \"{\\\"Username\\\": \\\"AWS\\\", \\\"Secret\\\": \\\"$server\\\"}\"\n");
  EXPECT_EQ(words("mine"), "mine //t");
  EXPECT_EQ(words("cloud.example"), "cloud.example AWS/cloud.example/");
  EXPECT_EQ(words("host:5000"), "host:5000 ada/se:cret/");
}

TEST_F(DockerConfigLoginTest, WhatCannotBeUsedIsSaid) {
  config("{\n  \"auths\": [}");
  EXPECT_NE(words("a").find("config.json"), std::string::npos) << words("a");
  EXPECT_NE(words("a").find("line 2"), std::string::npos) << words("a");
  config(R"({"auths": {"a": {"auth": "!!"}}})");
  EXPECT_NE(words("a").find("base64"), std::string::npos) << words("a");
  config(R"({"auths": 1})");
  EXPECT_NE(words("a").find("must be an object"), std::string::npos) << words("a");
  config(R"({"credsStore": "absent"})");
  EXPECT_NE(words("a").find("docker-credential-absent"), std::string::npos) << words("a");
  config(R"({"credsStore": "locked"})");
  helper("locked", "echo the keychain is locked; exit 1\n");
  EXPECT_EQ(words("a"), "unavailable: docker-credential-locked: the keychain is locked");
  config(R"({"credsStore": "../x"})");
  EXPECT_NE(words("a").find("not in PATH"), std::string::npos) << words("a");
}

TEST_F(DockerConfigLoginTest, AProgramThatHangsIsEnded) {
  config(R"({"credsStore": "hangs"})");
  helper("hangs", "exec sleep 1000\n");
  DockerConfigLogin login(directory_.path(), {"PATH=" + directory_.path() + ":/usr/bin:/bin"},
                          std::chrono::milliseconds(50));
  auto credentials = login.credentials_for("a");
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace plz
