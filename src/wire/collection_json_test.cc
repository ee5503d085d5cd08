#include "wire/collection_json.h"

#include <gtest/gtest.h>

#include "wire/sample_values.h"

namespace plz {
namespace {

TEST(CollectionJson, Request) {
  CollectionRequest request{true, false, true, false};
  const std::string golden = R"({"dry_run": true, "environments": false, "caches": true, "wait": false})";
  EXPECT_EQ(collection_request_to_json(request), golden);
  EXPECT_EQ(collection_request_to_json(*collection_request_from_json(golden)), golden);
  auto defaults = collection_request_from_json("{}");
  ASSERT_TRUE(defaults);
  EXPECT_FALSE(defaults->dry_run);
  EXPECT_TRUE(defaults->environments);
  EXPECT_TRUE(defaults->wait);
  EXPECT_EQ(collection_request_from_json(R"({"dry_run": 1})").error().message, "dry_run must be true or false");
}

TEST(CollectionJson, Report) {
  CollectionReport report;
  report.blobs = 3;
  report.bytes = 5'000'000'000;
  report.packs_removed = 1;
  report.packs_rewritten = 2;
  report.held_up = "a capture";
  report.instances.push_back(
      {sample_id<InstanceId>(1),
       "box",
       {{{"sha256:1", "plz/environment:a", 7}}, {{"c1", "plz-1", 0}}, {"unix:/e"}, 4, 5, "no engine"}});
  report.instances[0].collection.kept_outputs = 1;
  report.instances[0].collection.kept_output_bytes = 9;
  const std::string golden =
      R"({"dry_run": false, "blobs": 3, "bytes": 5000000000, "packs_removed": 1, "packs_rewritten": 2, )"
      R"("held_up": "a capture", "error": "", "instances": [{"instance_id": "019aab9e-3c6f-7d52-9d0f-000000000001", )"
      R"("host_name": "box", "images": [{"id": "sha256:1", "name": "plz/environment:a", "bytes": 7}], )"
      R"("containers": [{"id": "c1", "name": "plz-1", "bytes": 0}], "engines": ["unix:/e"], "trees": 4, "tree_bytes": 5, )"
      R"("error": "no engine", "outputs": 0, "output_bytes": 0, "kept_outputs": 1, "kept_output_bytes": 9}]})";
  EXPECT_EQ(collection_report_to_json(report), golden);
  auto back = collection_report_from_json(golden);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(collection_report_to_json(*back), golden);
  const std::string worker = worker_collection_to_json(report.instances[0].collection);
  EXPECT_EQ(worker_collection_to_json(*worker_collection_from_json(worker)), worker);
}

}  // namespace
}  // namespace plz
