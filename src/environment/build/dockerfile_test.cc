#include "environment/build/dockerfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "environment/build/build_sight.h"
#include "environment/build/dockerfile_word.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> result;
  for (const DockerInstruction& instruction : parse_dockerfile(text)) {
    std::string line = instruction.name;
    for (const auto& flag : instruction.flags) line += "|" + flag;
    result.push_back(line + "|" + instruction.rest);
  }
  return result;
}

TEST(Dockerfile, IsARowOfInstructions) {
  EXPECT_THAT(lines("FROM a\nrun  b c \n\nCMD [\"x\"]"), ElementsAre("FROM|a", "RUN|b c", "CMD|[\"x\"]"));
  EXPECT_THAT(lines("# comment\n  # too\nFROM a # not one\r\n"), ElementsAre("FROM|a # not one"));
  EXPECT_THAT(lines("RUN a \\\n  b \\ \t\n# between\n\n  c\nRUN d"), ElementsAre("RUN|a   b   c", "RUN|d"));
  EXPECT_THAT(lines("# escape=`\nRUN a `\nb \\\nRUN c"), ElementsAre("RUN|a b \\", "RUN|c"));
  EXPECT_THAT(lines("# a comment first\n# escape=`\nRUN a \\\nb"), ElementsAre("RUN|a b"));
  EXPECT_THAT(lines("RUN a\\\\\nRUN b"), ElementsAre("RUN|a\\\\", "RUN|b"));
  EXPECT_THAT(lines("COPY --from=x --chown=a:b c d"), ElementsAre("COPY|--from=x|--chown=a:b|c d"));
  EXPECT_THAT(lines("\xef\xbb\xbf"
                    "FROM a\nRUN open \\"),
              ElementsAre("FROM|a", "RUN|open"));
  EXPECT_THAT(lines(""), IsEmpty());
}

TEST(Dockerfile, WordsAreAListInJsonOrPartedByBlanks) {
  EXPECT_THAT(dockerfile_words("a  b\tc"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(dockerfile_words("[\"a b\", \"c\\u0041\"]"), ElementsAre("a b", "cA"));
  EXPECT_THAT(dockerfile_words("[a b]"), ElementsAre("[a", "b]"));
  EXPECT_THAT(dockerfile_words("[\"a\", 1]"), ElementsAre("[\"a\",", "1]"));
}

TEST(BuildSight, OfCopyAndAdd) {
  struct Case {
    std::string text;
    bool whole;
    std::vector<std::string> sources;
  };
  for (const Case& c : std::vector<Case>{
           {"FROM a\nRUN true", false, {}},
           {"FROM a\nCOPY x y /z/", false, {"x", "y"}},
           {"FROM a\nadd ./x/../w /z", false, {"w"}},
           {"FROM a\nCOPY /x ../y /z", false, {"x", "y"}},
           {"FROM a\nCOPY --chown=1:2 [\"a b\", \"/z\"]", false, {"a b"}},
           {"FROM a\nCOPY re*.txt \\\n  more /z", false, {"re*.txt", "more"}},
           {"FROM a\nCOPY . /z", true, {}},
           {"FROM a\nCOPY x/.. /z", true, {}},
           {"FROM a\nCOPY $x /z", true, {}},
           {"FROM a\nCOPY \"x\" /z", true, {}},
           {"FROM a\nCOPY a\\ b /z", true, {}},
           {"FROM a\nCOPY [x /z", true, {}},
           {"FROM a\nCOPY <<EOF /z\nhello\nEOF", true, {}},
           {"FROM a\nRUN --mount=type=bind,target=/c true", true, {}},
           {"FROM a\nRUN --network=none true", false, {}},
           {"FROM a\nONBUILD COPY x /z", true, {}},
           {"FROM a AS b\nFROM c\nCOPY --from=b /x /z", false, {}},
           {"FROM a\nADD https://host.example/x /z", false, {}},
       }) {
    BuildSight sight = sight_of(c.text);
    EXPECT_EQ(sight.whole_context, c.whole) << c.text;
    if (c.whole) continue;
    EXPECT_EQ(sight.sources, c.sources) << c.text;
  }
}

TEST(DockerfileWord, HasItsVariablesPutIn) {
  const std::map<std::string, std::string> variables{{"V", "12"}, {"EMPTY", ""}};
  for (const auto& [word, expanded] : std::vector<std::pair<std::string, std::string>>{
           {"a:$V-b", "a:12-b"},
           {"a:${V}b", "a:12b"},
           {"$UNSET${EMPTY}a", "a"},
           {"${V:-13}", "12"},
           {"${EMPTY:-13}", "13"},
           {"${UNSET:-a${V}b}", "a12b"},
           {"${V:+13}", "13"},
           {"a${EMPTY:+13}", "a"},
           {"\"a:$V\"'$V'", "a:12$V"},
           {"\"it's\"", "it's"},
       })
    EXPECT_EQ(expand_word(word, variables).value_or("unclear"), expanded) << word;
  for (const char* word : {"a\\b", "'a", "\"a", "${V", "${V-1}", "${V:?no}", "$", "${}", "$TARGETPLATFORM", "${V:-$1"})
    EXPECT_EQ(expand_word(word, variables), std::nullopt) << word;
}

TEST(BuildSight, OfBases) {
  auto bases = [](std::string_view text) { return sight_of(text).bases; };
  EXPECT_THAT(bases("FROM debian:12"), ElementsAre("debian:12"));
  EXPECT_THAT(bases("FROM --platform=linux/arm64 debian:12 as x\nFROM X\nFROM scratch"), ElementsAre("debian:12"));
  EXPECT_THAT(bases("ARG V=12\nARG IMAGE=\"debian\"\nFROM ${IMAGE}:$V"), ElementsAre("debian:12"));
  EXPECT_THAT(bases("ARG V=12\nARG TAG=${V}-slim\nFROM debian:$TAG"), ElementsAre("debian:12-slim"));
  EXPECT_THAT(bases("ARG V=12\nARG V\nFROM debian:$V"), ElementsAre("debian:12"));
  EXPECT_THAT(bases("ARG V\nFROM debian:${V:-12}"), ElementsAre("debian:12"));
  EXPECT_EQ(sight_of("ARG V\nFROM debian:${V:-12}").unknown_base, "");
  for (const char* word : {"debian:$TARGETARCH", "debian:${V-12}", "debian:a\\b"})
    EXPECT_EQ(sight_of(std::string("FROM ") + word).unknown_base, word);
  EXPECT_EQ(sight_of("ARG A=x-$TARGETARCH\nFROM debian:$A").unknown_base, "debian:$A");
  EXPECT_EQ(sight_of("FROM a\nCOPY --from=$x /y /z").unknown_base, "$x");
  EXPECT_THAT(bases("FROM a\nCOPY --from=tool:1 /x /y\nCOPY --from=0 /x /y"), ElementsAre("a", "tool:1"));
  EXPECT_THAT(sight_of("FROM a\nCOPY --from=tool:1 /x /y").stage_bases, ElementsAre("a"));
}

TEST(BuildSight, OfTriggers) {
  BuildSight sight = sight_of("FROM a\nCOPY own /z");
  add_triggers(sight, {"COPY requirements.txt /app/", "RUN pip install"});
  EXPECT_FALSE(sight.whole_context);
  EXPECT_THAT(sight.sources, ElementsAre("own", "requirements.txt"));
  add_triggers(sight, {"COPY . /app"});
  EXPECT_TRUE(sight.whole_context);
}

}  // namespace
}  // namespace plz
