#include "environment/image_reference.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ImageReference, IsTakenApart) {
  struct Case {
    std::string text, server, path, tag, digest, repository;
  };
  for (const Case& c : std::vector<Case>{
           {"debian", "docker.io", "library/debian", "latest", "", "debian"},
           {"debian:12", "docker.io", "library/debian", "12", "", "debian"},
           {"plz-test/base", "docker.io", "plz-test/base", "latest", "", "plz-test/base"},
           {"docker.io/library/debian:12", "docker.io", "library/debian", "12", "", "debian"},
           {"index.docker.io/a/b", "docker.io", "a/b", "latest", "", "a/b"},
           {"localhost/a", "localhost", "a", "latest", "", "localhost/a"},
           {"127.0.0.1:5000/team/plz:K_1", "127.0.0.1:5000", "team/plz", "K_1", "", "127.0.0.1:5000/team/plz"},
           {"host:5000/a@" + kDigest, "host:5000", "a", "", kDigest, "host:5000/a"},
           {"a.example/b:t@" + kDigest, "a.example", "b", "t", kDigest, "a.example/b"},
       }) {
    auto reference = parse_image_reference(c.text);
    ASSERT_TRUE(reference) << c.text;
    EXPECT_EQ(reference->server, c.server) << c.text;
    EXPECT_EQ(reference->path, c.path) << c.text;
    EXPECT_EQ(reference->tag, c.tag) << c.text;
    EXPECT_EQ(reference->digest, c.digest) << c.text;
    EXPECT_EQ(reference->repository(), c.repository) << c.text;
  }
}

TEST(ImageReference, WhatNoImageCanBeCalledIsRefused) {
  for (const char* text : {"", ":tag", "Debian", "a b", "a//b", "a:", "a:-x", "a@sha256:12", "/a", "-a", "a\nb"}) {
    auto reference = parse_image_reference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code, ErrorCode::invalid);
  }
}

}  // namespace
}  // namespace plz
