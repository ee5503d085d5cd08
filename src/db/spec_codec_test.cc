#include "db/spec_codec.h"

#include <gtest/gtest.h>

#include "db/byte_codec.h"
#include "db/database_samples.h"

namespace plz {
namespace {

std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (unsigned char c : bytes) {
    char text[3];
    snprintf(text, sizeof text, "%02x", c);
    hex += text;
  }
  return hex;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

TEST(ByteCodec, RoundTrips) {
  ByteWriter writer;
  for (uint64_t value : {0ull, 127ull, 128ull, 1ull << 40, ~0ull}) writer.number(value);
  for (int64_t value : {int64_t{0}, int64_t{-1}, INT64_MIN, INT64_MAX}) writer.signed_number(value);
  writer.real(-0.1);
  writer.flag(true);
  writer.text(std::string_view("a\0b", 3));
  std::string bytes = writer.take();
  ByteReader reader(bytes);
  for (uint64_t value : {0ull, 127ull, 128ull, 1ull << 40, ~0ull}) EXPECT_EQ(reader.number(), value);
  for (int64_t value : {int64_t{0}, int64_t{-1}, INT64_MIN, INT64_MAX}) EXPECT_EQ(reader.signed_number(), value);
  EXPECT_EQ(reader.real(), -0.1);
  EXPECT_TRUE(reader.flag());
  EXPECT_EQ(reader.text(), std::string("a\0b", 3));
  EXPECT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(reader.number(), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteCodec, RefusesWhatDoesNotFit) {
  EXPECT_FALSE([] {
    ByteReader r("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
    r.number();
    return r.ok();
  }());
  EXPECT_FALSE([] {
    ByteReader r(
        "\x05"
        "abc");
    r.text();
    return r.ok();
  }());
  EXPECT_FALSE([] {
    ByteReader r("\x02");
    r.flag();
    return r.ok();
  }());
  EXPECT_FALSE([] {
    ByteReader r(
        "\x09"
        "abc");
    r.count();
    return r.ok();
  }());
  EXPECT_FALSE([] {
    ByteReader r("1234567");
    r.real();
    return r.ok();
  }());
}

TEST(SpecCodec, RoundTrips) {
  FakeClock clock;
  ExecutionSpec spec = full_spec(clock);
  EXPECT_EQ(*decode_spec(encode_spec(spec)), spec);
  EXPECT_EQ(*decode_spec(encode_spec(ExecutionSpec{})), ExecutionSpec{});
  EnvironmentVariables variables{{"A", ""}, {"", "\xff\n"}};
  EXPECT_EQ(*decode_variables(encode_variables(variables)), variables);
  std::vector<std::string> strings{"", "x", std::string(300, 'y')};
  EXPECT_EQ(*decode_strings(encode_strings(strings)), strings);
  std::vector<RuntimeFingerprint> runtimes = sample_instance(clock).runtimes;
  EXPECT_EQ(*decode_runtimes(encode_runtimes(runtimes)), runtimes);
}

TEST(SpecCodec, ANewerFormatIsRefusedInWords) {
  std::string bytes = encode_strings({"a"});
  bytes[0] = 7;
  auto decoded = decode_strings(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::conflict);
  EXPECT_EQ(decoded.error().message, "a list of texts was written by a newer plz (format 7; this one knows 5)");
}

TEST(SpecCodec, EveryTruncationIsRefused) {
  FakeClock clock;
  std::string bytes = encode_spec(full_spec(clock));
  for (size_t size = 0; size < bytes.size(); ++size) {
    auto decoded = decode_spec(bytes.substr(0, size));
    ASSERT_FALSE(decoded) << size;
    EXPECT_EQ(decoded.error().code, ErrorCode::internal);
  }
  EXPECT_FALSE(decode_spec(bytes + "x"));
}

// The bytes are in people's databases: these tests fail when their meaning changes.
const std::string kFieldsOfFormat1 =
    "03616461"
    "00"
    "010474727565"
    "027b7d" +
    std::string(64, '0') +
    "00"
    "00"
    "00"
    "0874322e6d6963726f"
    "00"
    "00"
    "0178"
    "00"
    "000000000000f03f"
    "00"
    "00"
    "00"
    "027b7d"
    "01"
    "027b7d"
    "027b7d"
    "00"
    "00"
    "02"
    "00"
    "010104";

ExecutionSpec spec_of_format_1() {
  ExecutionSpec spec;
  spec.user = "ada";
  spec.command = {"true"};
  spec.indices = IndexRange{-1, 2};
  return spec;
}

TEST(SpecCodec, TheFormatStays) {
  ExecutionSpec spec = spec_of_format_1();
  EXPECT_EQ(to_hex(encode_spec(spec)), "05" + kFieldsOfFormat1 +
                                           "00"
                                           "00"
                                           "00"
                                           "00");
  spec.snapshot.environment.dockerfile = true;
  spec.snapshot.environment.pinned = ImageIdentity{"sha256:1", "a@b"};
  EXPECT_EQ(to_hex(encode_spec(spec)), "05" + kFieldsOfFormat1 +
                                           "01"
                                           "01"
                                           "087368613235363a31"
                                           "03614062"
                                           "00"
                                           "00"
                                           "00"
                                           "00");
  spec.snapshot.environment.pinned->base_id = "b";
  spec.snapshot.environment.pinned->base_digest = "c";
  EXPECT_TRUE(to_hex(encode_spec(spec)).ends_with("016201630000"));
  spec.outputs = {"a", "b"};
  EXPECT_TRUE(to_hex(encode_spec(spec))
                  .ends_with("01620163"
                             "02"
                             "0161"
                             "0162"
                             "00"));
  spec.runtime = "a";
  EXPECT_TRUE(to_hex(encode_spec(spec)).ends_with("01620161"));
}

TEST(SpecCodec, Format4IsRead) {
  ExecutionSpec spec = spec_of_format_1();
  spec.outputs = {"a"};
  auto decoded = decode_spec(from_hex("04" + kFieldsOfFormat1 + "0000010161"));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, spec);
}

TEST(SpecCodec, Format3IsRead) {
  ExecutionSpec spec = spec_of_format_1();
  spec.snapshot.environment.pinned = ImageIdentity{"sha256:1", "a@b", "b", "c"};
  auto decoded = decode_spec(from_hex("03" + kFieldsOfFormat1 + "0001087368613235363a310361406201620163"));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, spec);
}

TEST(SpecCodec, Format2IsRead) {
  ExecutionSpec spec = spec_of_format_1();
  spec.snapshot.environment.dockerfile = true;
  spec.snapshot.environment.pinned = ImageIdentity{"sha256:1", "a@b"};
  auto decoded = decode_spec(from_hex("02" + kFieldsOfFormat1 + "0101087368613235363a3103614062"));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, spec);
}

TEST(SpecCodec, Format1IsRead) {
  auto decoded = decode_spec(from_hex("01" + kFieldsOfFormat1));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, spec_of_format_1());
  EXPECT_EQ(*decode_strings(from_hex("01"
                                     "02"
                                     "0161"
                                     "00")),
            (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(decode_spec(from_hex("01" + kFieldsOfFormat1 +
                                 "00"
                                 "00"))
                .error()
                .code,
            ErrorCode::internal);
  EXPECT_EQ(decode_spec(from_hex("00" + kFieldsOfFormat1)).error().code, ErrorCode::internal);
}

}  // namespace
}  // namespace plz
