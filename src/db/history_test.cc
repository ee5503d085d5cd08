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
      {"p.none exists", {}},
      {"not p.none exists", {odd, nan, good}},
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
      {"big > 12345678901234567889", {odd}},
      {"big > 12345678901234567890", {}},
      {"big = 12345678901234567889", {}},
      {"big = 12345678901234567890.00", {odd}},
      {"big = 1234567890123456789e1", {odd}},
      {"big = 12345678901234567890", {odd}},
      {"nothing != 1", {odd, nan, good}},
  };
  for (const auto& [condition, expected] : cases) EXPECT_EQ(history_where(condition), expected) << condition;
}

TEST_P(HistoryTest, NumbersCompareExactly) {
  std::vector<std::string> numbers = {"-1e400",
                                      "-9007199254740993",
                                      "0",
                                      "1e-400",
                                      "0.1",
                                      "0.1000000000000000000001",
                                      "1.0",
                                      "9007199254740992",
                                      "9007199254740993",
                                      "9223372036854775807",
                                      "9223372036854775809",
                                      "1e309"};
  std::vector<std::string> documents;
  for (const auto& number : numbers) {
    NewExecution created = sample_execution(clock_);
    created.document = R"({"p":{"x":)" + number + "}}";
    create(created);
    documents.push_back(created.document);
  }
  auto from_to = [&](size_t from, size_t to) {  // newest first
    return Texts(documents.rbegin() + static_cast<ptrdiff_t>(documents.size() - to),
                 documents.rend() - static_cast<ptrdiff_t>(from));
  };
  for (size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(history_where("p.x = " + numbers[i]), from_to(i, i + 1)) << numbers[i];
    EXPECT_EQ(history_where("p.x < " + numbers[i]), from_to(0, i)) << numbers[i];
    EXPECT_EQ(history_where("p.x >= " + numbers[i]), from_to(i, numbers.size())) << numbers[i];
  }
  EXPECT_EQ(history_where("p.x = 1"), from_to(6, 7));
  EXPECT_EQ(history_where("p.x = 1e-1"), from_to(4, 5));
  EXPECT_EQ(history_where("not p.x"), from_to(2, 3));
}

TEST_P(HistoryTest, AConditionAndALimitTogether) {
  Texts expected;
  for (int i = 0; i < 20; ++i) {
    NewExecution created = sample_execution(clock_);
    created.document = R"({"n":)" + std::to_string(i) + "}";
    create(created);
    if (i == 3 || i == 4) expected.insert(expected.begin(), created.document);
  }
  HistoryQuery query{.limit = 2};
  query.where = parse_where("n < 5").value();
  EXPECT_EQ(history(query), expected);
}

TEST_P(HistoryTest, TheLastOfMembersWithOneNameCounts) {
  NewExecution created = sample_execution(clock_);
  created.document = R"({"a":{"b":1},"a":{"c":2,"c":3}})";
  create(created);
  EXPECT_EQ(history_where("a.b exists"), Texts{});
  EXPECT_EQ(history_where("a.c = 3"), Texts{created.document});
  for (const char* broken : {"{\"a\":[1 2],\"n\":1}", "{\"n\":1", "{\"n\":1}}", "{\"n\":1,}", "[1]"}) {
    created = sample_execution(clock_);
    created.document = broken;
    create(created);
    EXPECT_EQ(history_where("n = 1"), Texts{}) << broken;
    EXPECT_EQ(history_where("not n = 1").size(), 1u) << broken;
  }
}

PLZ_FOR_ALL_DATABASES(HistoryTest);

}  // namespace
}  // namespace plz
