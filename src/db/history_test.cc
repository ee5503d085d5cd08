#include "db/database_contract.h"

namespace plz {
namespace {

class HistoryTest : public DatabaseContract {};

TEST_P(HistoryTest, HistoryStreamsNewestFirst) {
  std::vector<NewExecution> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(sample_execution(clock_, i == 3 ? "bob" : "ada", i == 1 ? "words" : "digits"));
    create(all.back());
  }
  auto documents = [&](std::vector<size_t> which) {
    std::vector<std::string> texts;
    for (size_t i : which) texts.push_back(all[i].document);
    return texts;
  };
  EXPECT_EQ(history({}), documents({4, 3, 2, 1, 0}));
  EXPECT_EQ(history({.user = "ada"}), documents({4, 2, 1, 0}));
  EXPECT_EQ(history({.user = "ada", .project = "digits"}), documents({4, 2, 0}));
  EXPECT_EQ(history({.project = "digits"}), documents({4, 3, 2, 0}));
  EXPECT_EQ(history({.limit = 2}), documents({4, 3}));
  EXPECT_EQ(history({.user = "ada", .before = all[2].execution.id}), documents({1, 0}));
  EXPECT_EQ(history({.limit = 0}), documents({}));
  HistoryQuery query{.limit = 1, .before = all[3].execution.id};
  query.where = parse_where("id exists").value();
  EXPECT_EQ(history(query), documents({2}));
}

TEST_P(HistoryTest, ACursorSeesTheDatabaseAsItWas) {
  NewExecution a = sample_execution(clock_), b = sample_execution(clock_);
  create(a);
  create(b);
  auto cursor = *database_->history().open({});
  EXPECT_TRUE(*executions().save(a.execution, 0, std::nullopt, R"({"new":1})", Durability::relaxed));
  create(sample_execution(clock_));
  auto row = *cursor->next();
  EXPECT_EQ(row->id, b.execution.id);
  row = *cursor->next();
  EXPECT_EQ(row->document, a.document);
  EXPECT_FALSE(*cursor->next());
  EXPECT_FALSE(*cursor->next());
}

TEST_P(HistoryTest, HistoryWhere) {
  auto add = [&](const std::string& document) {
    NewExecution created = sample_execution(clock_);
    created.document = document;
    create(created);
    return document;
  };
  const std::string good = add(
      R"({"user":"ada","p":{"lr":0.1,"n":3,"on":true,"list":[1,"0"],"none":null},"m":{"loss":0.30000000000000004}})");
  const std::string nan = add(R"({"user":"bob","p":{"lr":"0.1","n":0,"on":false},"m":{"loss":"NaN"}})");
  const std::string odd =
      add(R"({"a.b":1,"q\"uote":{"\u00e9":"x\ny"},"e/1":2,"":5,"back\\slash":"caf\u00e9","big":12345678901234567890})");
  add("not JSON at all");

  const std::vector<std::pair<std::string, Texts>> cases = {
      {"p.lr = 0.1", {good}},
      {"p.lr = '0.1'", {nan}},
      {"p.lr < 0.2", {good}},
      {"p.lr <= 0.1", {good}},
      {"p.lr > 0.1", {}},
      {"p.lr >= 0.1", {good}},
      {"p.lr != 0.1", {odd, nan}},
      {"not p.lr = 0.1", {odd, nan}},
      {"not p.lr > 0.1", {odd, nan, good}},
      {"m.loss = 0.30000000000000004", {good}},
      {"m.loss = NaN", {nan}},
      {"m.loss < 1", {good}},
      {"p.on", {good}},
      {"p.on = false", {nan}},
      {"p.on = 1", {}},
      {"p.on < true", {}},
      {"p.n", {good}},
      {"p.n exists", {nan, good}},
      {"p.none exists", {good}},
      {"p.none", {}},
      {"p.none = null", {good}},
      {"p.none != null", {odd, nan}},
      {"p.list", {good}},
      {"p.list.0 exists", {}},
      {"p.list = '[1,\"0\"]'", {}},
      {"user ~ d", {good}},
      {"user ~ ''", {nan, good}},
      {"p.n ~ 3", {}},
      {"user > ada", {nan}},
      {"user = ada and p.n = 3 or user = bob and not p.on", {nan, good}},
      {"user.name exists", {}},
      {R"("a.b" = 1)", {odd}},
      {R"("q\"uote"."é" = "x\ny")", {odd}},
      {R"("q\"uote"."é" ~ y and "a.b")", {odd}},
      {R"("e/1" >= 2)", {odd}},
      {R"("" = 5)", {odd}},
      {R"("back\\slash" = "café")", {odd}},
      {R"("back\\slash"."x" exists)", {}},
      {"big > 12345678901234500000", {odd}},
      {"big = 12345678901234567890", {odd}},
      {"nothing != 1", {odd, nan, good}},
  };
  for (const auto& [condition, expected] : cases) EXPECT_EQ(history_where(condition), expected) << condition;
}

PLZ_FOR_ALL_DATABASES(HistoryTest);

}  // namespace
}  // namespace plz
