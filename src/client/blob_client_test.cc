#include "client/blob_client.h"

#include <gtest/gtest.h>

#include "client/client_fixture.h"
#include "net/problem.h"
#include "store/hasher.h"
#include "store/memory/memory_blob_channel.h"
#include "store/pack_format.h"

namespace plz {
namespace {

using testing_client::Asked;
using testing_client::json;
using testing_client::ScriptedServer;

std::vector<Digest> digests_in(const std::string& body) {
  std::vector<Digest> digests;
  for (size_t at = 0; at + Digest::kBytes <= body.size(); at += Digest::kBytes)
    digests.push_back(Digest::from_bytes(body.data() + at));
  return digests;
}

// The controller's side of the store, over blobs in memory.
Response serve(MemoryBlobChannel& blobs, const Asked& asked) {
  if (asked.method == "DELETE") return json("{}");
  if (asked.target.starts_with("/v1/packs")) {
    auto sent = blobs.send_pack(asked.body);
    return sent ? json("{}") : problem_response(sent.error(), "r");
  }
  auto digests = digests_in(asked.body);
  std::string body;
  if (asked.target.starts_with("/v1/blobs/missing")) {
    auto missing = blobs.missing(digests);
    for (bool lacks : *missing) body += lacks ? '\1' : '\0';
    return json(body);
  }
  auto fetched = blobs.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
    append_blob_to_pack(body, digests[index], bytes);
    return {};
  });
  return fetched ? json(body) : problem_response(fetched.error(), "r");
}

TEST(BlobClient, SendsAndFetchesUnderItsLease) {
  MemoryBlobChannel blobs;
  ScriptedServer server([&](const Asked& asked) { return serve(blobs, asked); });
  const std::string lease = "019aab9e-3c6f-7d52-9d0f-000000000009";
  Digest a = digest_of("a"), b = digest_of("b");
  {
    BlobClient client(server.endpoint(), LeaseId::parse(lease));
    std::string pack;
    append_blob_to_pack(pack, a, "a");
    append_blob_to_pack(pack, b, "b");
    ASSERT_TRUE(client.send_pack(pack));
    EXPECT_EQ(server.last().target, "/v1/packs?lease=" + lease);
    Digest c = digest_of("c");
    EXPECT_EQ(client.missing(std::vector{a, c}), (std::vector<bool>{false, true}));
    EXPECT_EQ(server.last().target, "/v1/blobs/missing?lease=" + lease);
    std::string got;
    auto fetched = client.fetch(std::vector{b, a}, [&](size_t index, std::string_view bytes) -> Result<void> {
      got += std::to_string(index) + std::string(bytes);
      return {};
    });
    ASSERT_TRUE(fetched) << fetched.error().message;
    EXPECT_EQ(got, "0b1a");
  }
  EXPECT_EQ(server.last().method + " " + server.last().target, "DELETE /v1/leases/" + lease);
}

TEST(BlobClient, LeavesNoLeaseThatItDidNotUse) {
  MemoryBlobChannel blobs;
  ScriptedServer server([&](const Asked& asked) { return serve(blobs, asked); });
  { BlobClient client(server.endpoint(), LeaseId::parse("019aab9e-3c6f-7d52-9d0f-000000000009")); }
  {
    BlobClient client(server.endpoint(), std::nullopt);
    ASSERT_TRUE(client.missing(std::vector{digest_of("a")}));
  }
  EXPECT_EQ(server.asked().size(), 1u);
  EXPECT_EQ(server.last().target, "/v1/blobs/missing");
}

TEST(BlobClient, CutsLongListsInSeveralRequests) {
  MemoryBlobChannel blobs;
  ScriptedServer server([&](const Asked& asked) { return serve(blobs, asked); });
  BlobClient client(server.endpoint(), std::nullopt);
  std::vector<Digest> digests;
  for (int i = 0; i < 5'000; ++i) digests.push_back(blobs.put(std::to_string(i)));
  size_t next = 0;
  auto fetched = client.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
    EXPECT_EQ(index, next++);
    EXPECT_EQ(bytes, std::to_string(index));
    return {};
  });
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(next, 5'000u);
  EXPECT_EQ(server.asked().size(), 2u);
}

TEST(BlobClient, NamesABlobThatTheStoreLacks) {
  MemoryBlobChannel blobs;
  ScriptedServer server([&](const Asked& asked) { return serve(blobs, asked); });
  BlobClient client(server.endpoint(), std::nullopt);
  auto fetched = client.fetch(std::vector{digest_of("x")}, [](size_t, std::string_view) { return Result<void>(); });
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::not_found);
  EXPECT_NE(fetched.error().message.find(digest_of("x").hex()), std::string::npos);
}

TEST(BlobClient, ReturnsTheReceiversError) {
  MemoryBlobChannel blobs;
  ScriptedServer server([&](const Asked& asked) { return serve(blobs, asked); });
  BlobClient client(server.endpoint(), std::nullopt);
  std::vector<Digest> digests = {blobs.put("a"), blobs.put("b")};
  size_t calls = 0;
  auto fetched = client.fetch(digests, [&](size_t, std::string_view) -> Result<void> {
    ++calls;
    return fail(ErrorCode::unavailable, "the disk is full");
  });
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().message, "the disk is full");
  EXPECT_EQ(calls, 1u);
}

TEST(BlobClient, RefusesBlobsThatWereNotAskedFor) {
  ScriptedServer server([](const Asked&) {
    std::string pack;
    append_blob_to_pack(pack, digest_of("other"), "other");
    return json(pack);
  });
  BlobClient client(server.endpoint(), std::nullopt);
  auto fetched = client.fetch(std::vector{digest_of("a")}, [](size_t, std::string_view) { return Result<void>(); });
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code, ErrorCode::internal);
}

}  // namespace
}  // namespace plz
