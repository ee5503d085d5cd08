#include "cli/input_source.h"

#include <gmock/gmock.h>

#include "cli/scripted_session_test.h"
#include "store/hasher.h"
#include "store/materialise.h"
#include "store/memory/memory_blob_channel.h"

namespace plz {
namespace {

using testing::HasSubstr;

class InputSourceTest : public testing::Test {
 protected:
  InputSourceTest() {
    execution_.id = kId;
    execution_.state = ExecutionState::finished;
    execution_.output_tree = put(Tree{{file("net.pt", "weights"), file("readme", "text")}});
  }

  TreeEntry file(std::string name, const std::string& content) {
    TreeEntry entry;
    entry.name = std::move(name);
    entry.bytes = content.size();
    entry.digest = store_.put(content);
    return entry;
  }
  Digest put(const Tree& tree) { return store_.put(encode_tree(tree)); }

  Result<Input> resolve(const std::string& text) {
    scripted_.answer("GET /v1/executions/" + std::string(kIdText), execution_to_json(execution_));
    PLZ_ASSIGN(const InputSource source, parse_input_source(text));
    return resolve_stored_input(source, text, *scripted_.session, store_, store_);
  }

  ScriptedSession scripted_;
  MemoryBlobChannel store_;
  Execution execution_;
};

TEST_F(InputSourceTest, IsParsedBySchema) {
  EXPECT_EQ(std::get<FileInput>(*parse_input_source("file:///a b")).path, "/a b");
  EXPECT_EQ(std::get<OutputInput>(*parse_input_source("output://" + std::string(kIdText) + "/a/b/")).path, "a/b");
  EXPECT_EQ(std::get<OutputInput>(*parse_input_source("output://" + std::string(kIdText))).path, "");
  EXPECT_EQ(std::get<SameInput>(*parse_input_source("input_id://" + std::string(kIdText))).execution, kId);
  const Digest digest = digest_of("x");
  EXPECT_EQ(std::get<TreeInput>(*parse_input_source("input_id://" + digest.hex())).tree, digest);
  for (const char* wrong : {"data", "ftp://x", "output://nothing", "input_id://xyz", "output:///path"}) {
    auto source = parse_input_source(wrong);
    ASSERT_FALSE(source) << wrong;
    EXPECT_THAT(source.error().message, HasSubstr(wrong));
  }
}

TEST_F(InputSourceTest, AnOutputIsTakenWhole) {
  auto input = resolve("output://" + std::string(kIdText));
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->tree, *execution_.output_tree);
  EXPECT_EQ(input->total_bytes, 11u);
}

TEST_F(InputSourceTest, OneFileOfAnOutputIsATreeOfOneFile) {
  auto input = resolve("output://" + std::string(kIdText) + "/net.pt");
  ASSERT_TRUE(input) << input.error().message;
  auto tree = fetch_tree(input->tree, store_);
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->entries.size(), 1u);
  EXPECT_EQ(tree->entries[0].name, "net.pt");
  EXPECT_EQ(input->total_bytes, 7u);
}

TEST_F(InputSourceTest, WhatAnOutputLacksIsNamed) {
  auto input = resolve("output://" + std::string(kIdText) + "/none");
  ASSERT_FALSE(input);
  EXPECT_THAT(input.error().message, HasSubstr("has no none"));
}

TEST_F(InputSourceTest, TheInputOfAnotherExecution) {
  auto none = resolve("input_id://" + std::string(kIdText));
  ASSERT_FALSE(none);
  execution_.spec.input = Input{*execution_.output_tree, "file:///x", 11};
  auto input = resolve("input_id://" + std::string(kIdText));
  ASSERT_TRUE(input);
  EXPECT_EQ(input->tree, *execution_.output_tree);
  EXPECT_EQ(input->source, "input_id://" + std::string(kIdText));
}

TEST_F(InputSourceTest, TheOutputsOfPartsAreJoined) {
  execution_.output_tree.reset();
  execution_.spec.parallel_indices_range = IndexRange{0, 11};
  ExecutionPage parts;
  for (int64_t index : {0, 10, 2}) {
    Execution part;
    part.id = kId;
    part.spec.parent_id = kId;
    part.spec.indices = IndexRange{index, index + 1};
    TreeEntry directory;
    directory.name = std::to_string(index);
    directory.kind = EntryKind::directory;
    directory.mode = 0755;
    directory.bytes = 1;
    directory.digest = put(Tree{{file("square", std::to_string(index))}});
    part.output_tree = put(Tree{{directory}});
    parts.executions.push_back(part);
  }
  scripted_.answer("GET /v1/executions/" + std::string(kIdText) + "/parts?brief=1&limit=1000",
                   execution_page_to_json(parts));
  auto input = resolve("output://" + std::string(kIdText) + "/parallel-10");
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ((*find_entry(input->tree, "square", store_))->digest, digest_of("10"));
  EXPECT_TRUE(resolve("output://" + std::string(kIdText)));
}

}  // namespace
}  // namespace plz
