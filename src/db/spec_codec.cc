#include "db/spec_codec.h"

#include <array>
#include <cstring>
#include <utility>

#include "db/byte_codec.h"

namespace plz {
namespace {

// Persisted: a change of any layout below takes the next number, and the old one stays readable.
constexpr uint64_t kFormat = 5;

// Writing and reading go through the same list of fields, so that they cannot come to differ:
// spec_fields() and its like name each once, and both codecs have one field() a type.
using NamedLimit = decltype(ProcessAttributes::limits)::value_type;

class Encoder {
 public:
  // Whether what is being written or read has the fields that came with this format.
  bool has(uint64_t format) const { return format <= kFormat; }

  void field(const std::string& value) { out_.text(value); }
  void field(const JsonText& value) { out_.text(value.text); }
  void field(bool value) { out_.flag(value); }
  void field(double value) { out_.real(value); }
  void field(int64_t value) { out_.signed_number(value); }
  void field(uint64_t value) { out_.number(value); }
  void field(uint32_t value) { out_.number(value); }
  void field(MarketType value) { out_.number(static_cast<uint64_t>(value)); }
  void field(const Digest& value) { out_.raw(value.view()); }
  void field(const ExecutionId& value) {
    const auto& bytes = value.uuid().bytes();
    out_.raw({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  template <typename T>
  void field(const std::optional<T>& value) {
    out_.flag(value.has_value());
    if (value) item(*value);
  }
  template <typename T>
  void field(const std::vector<T>& values) {
    out_.number(values.size());
    for (const T& value : values) item(value);
  }

  ByteWriter out_;

 private:
  template <typename T>
  void item(const T& value);
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : in_(bytes), format_(in_.number()) {}

  uint64_t format() const { return format_; }
  bool has(uint64_t format) const { return format <= format_; }

  void field(std::string& value) { value = in_.text(); }
  void field(JsonText& value) { value.text = in_.text(); }
  void field(bool& value) { value = in_.flag(); }
  void field(double& value) { value = in_.real(); }
  void field(int64_t& value) { value = in_.signed_number(); }
  void field(uint64_t& value) { value = in_.number(); }
  void field(uint32_t& value) { value = static_cast<uint32_t>(at_most(UINT32_MAX)); }
  void field(MarketType& value) { value = static_cast<MarketType>(at_most(static_cast<uint64_t>(MarketType::spot))); }
  void field(Digest& value) {
    std::string_view bytes = in_.raw(Digest::kBytes);
    if (in_.ok()) value = Digest::from_bytes(bytes.data());
  }
  void field(ExecutionId& value) {
    std::string_view bytes = in_.raw(sizeof(Uuid));
    if (in_.ok()) value = ExecutionId(Uuid::from_bytes(bytes.data()));
  }
  template <typename T>
  void field(std::optional<T>& value) {
    if (in_.flag()) item(value.emplace());
    else value.reset();
  }
  template <typename T>
  void field(std::vector<T>& values) {
    values.clear();
    for (size_t count = in_.count(); count > 0 && in_.ok(); --count) item(values.emplace_back());
  }

  ByteReader in_;

 private:
  uint64_t at_most(uint64_t limit) {
    uint64_t value = in_.number();
    if (value <= limit) return value;
    in_.refuse();
    return 0;
  }
  template <typename T>
  void item(T& value);

  const uint64_t format_;
};

// Persisted: do not reorder; what is new goes to the end, with the next kFormat.
template <typename Codec, typename T>
void range_fields(Codec& codec, T& range) {
  codec.field(range.from);
  codec.field(range.to);
}

template <typename Codec, typename T>
void input_fields(Codec& codec, T& input) {
  codec.field(input.tree);
  codec.field(input.source);
  codec.field(input.total_bytes);
}

template <typename Codec, typename T>
void image_fields(Codec& codec, T& image) {
  codec.field(image.id);
  codec.field(image.digest);
  if (!codec.has(3)) return;
  codec.field(image.base_id);
  codec.field(image.base_digest);
}

template <typename Codec, typename T>
void runtime_fields(Codec& codec, T& runtime) {
  codec.field(runtime.name);
  codec.field(runtime.available);
  codec.field(runtime.version);
  codec.field(runtime.detail);
}

template <typename Codec, typename T>
void variable_fields(Codec& codec, T& variable) {
  codec.field(variable.first);
  codec.field(variable.second);
}

template <typename Codec, typename T>
void limit_fields(Codec& codec, T& limit) {
  codec.field(limit.first);
  codec.field(limit.second.soft);
  codec.field(limit.second.hard);
}

template <typename Codec, typename T>
void attribute_fields(Codec& codec, T& attributes) {
  codec.field(attributes.limits);
  codec.field(attributes.affinity);
  codec.field(attributes.niceness);
  codec.field(attributes.umask);
  codec.field(attributes.scheduling);
  codec.field(attributes.io_priority);
  codec.field(attributes.oom_score);
  codec.field(attributes.personality);
}

template <typename Codec, typename T>
void spec_fields(Codec& codec, T& spec) {
  codec.field(spec.user);
  codec.field(spec.project);
  codec.field(spec.command);
  codec.field(spec.parameters);
  codec.field(spec.snapshot.code_tree);
  codec.field(spec.snapshot.environment.image);
  codec.field(spec.snapshot.environment.image_extensions);
  codec.field(spec.input);
  codec.field(spec.market.instance_type);
  codec.field(spec.market.market_type);
  codec.field(spec.market.max_bid_price_in_dollars_per_hour);
  codec.field(spec.market.instance_max_uptime_in_minutes);
  codec.field(spec.market.instance_max_idle_time_in_minutes);
  codec.field(spec.resources.cpus);
  codec.field(spec.resources.memory_bytes);
  codec.field(spec.resources.gpus);
  codec.field(spec.environment);
  codec.field(spec.docker_run_args);
  codec.field(spec.network);
  codec.field(spec.configuration);
  codec.field(spec.metadata);
  codec.field(spec.previous_execution_id);
  codec.field(spec.parallel_indices_range);
  codec.field(spec.indices_per_execution);
  codec.field(spec.parent_id);
  codec.field(spec.indices);
  if (!codec.has(2)) return;
  codec.field(spec.snapshot.environment.dockerfile);
  codec.field(spec.snapshot.environment.pinned);
  if (!codec.has(4)) return;
  codec.field(spec.outputs);
  if (!codec.has(5)) return;
  codec.field(spec.runtime);
}

template <typename Codec, typename T>
void item_fields(Codec& codec, T& value) {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Plain, IndexRange>) range_fields(codec, value);
  else if constexpr (std::is_same_v<Plain, Input>) input_fields(codec, value);
  else if constexpr (std::is_same_v<Plain, ImageIdentity>) image_fields(codec, value);
  else if constexpr (std::is_same_v<Plain, RuntimeFingerprint>) runtime_fields(codec, value);
  else if constexpr (std::is_same_v<Plain, EnvironmentVariables::value_type>) variable_fields(codec, value);
  else if constexpr (std::is_same_v<Plain, NamedLimit>) limit_fields(codec, value);
  else if constexpr (std::is_same_v<Plain, ProcessAttributes>) attribute_fields(codec, value);
  else if constexpr (std::is_same_v<Plain, ExecutionSpec>) spec_fields(codec, value);
  else codec.field(value);
}

template <typename T>
void Encoder::item(const T& value) {
  item_fields(*this, value);
}
template <typename T>
void Decoder::item(T& value) {
  item_fields(*this, value);
}

template <typename T>
std::string encode(const T& value) {
  Encoder encoder;
  encoder.out_.number(kFormat);
  item_fields(encoder, value);
  return encoder.out_.take();
}

template <typename T>
Result<T> decode(std::string_view bytes, std::string_view what) {
  Decoder decoder(bytes);
  const uint64_t format = decoder.format();
  if (decoder.in_.ok() && format > kFormat)
    return fail(ErrorCode::conflict,
                std::string(what) + " was written by a newer plz (format " + std::to_string(format) +
                    "; this one knows " + std::to_string(kFormat) + ")",
                "use the newer plz");
  T value;
  item_fields(decoder, value);
  if (format >= 1 && decoder.in_.ok() && decoder.in_.at_end()) return value;
  return fail(ErrorCode::internal, std::string(what) + " is damaged in the database");
}

}  // namespace

std::string encode_spec(const ExecutionSpec& spec) { return encode(spec); }
std::string encode_attributes(const ProcessAttributes& attributes) { return encode(attributes); }
std::string encode_variables(const EnvironmentVariables& variables) { return encode(variables); }
std::string encode_strings(const std::vector<std::string>& strings) { return encode(strings); }
std::string encode_runtimes(const std::vector<RuntimeFingerprint>& runtimes) { return encode(runtimes); }

Result<ExecutionSpec> decode_spec(std::string_view bytes) {
  return decode<ExecutionSpec>(bytes, "the spec of an execution");
}
Result<ProcessAttributes> decode_attributes(std::string_view bytes) {
  return decode<ProcessAttributes>(bytes, "the process attributes of an execution");
}
Result<EnvironmentVariables> decode_variables(std::string_view bytes) {
  return decode<EnvironmentVariables>(bytes, "the environment of an execution");
}
Result<std::vector<std::string>> decode_strings(std::string_view bytes) {
  return decode<std::vector<std::string>>(bytes, "a list of texts");
}
Result<std::vector<RuntimeFingerprint>> decode_runtimes(std::string_view bytes) {
  return decode<std::vector<RuntimeFingerprint>>(bytes, "the runtimes of an instance");
}

}  // namespace plz
