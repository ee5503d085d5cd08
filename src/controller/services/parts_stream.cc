#include "controller/services/parts_stream.h"

#include "base/log.h"
#include "wire/execution_json.h"

namespace plz {
namespace {

class PartsProducer final : public Producer {
 public:
  PartsProducer(const ExecutionService& executions, const Scheduler& scheduler, const PartsRequest& request)
      : executions_(executions), scheduler_(scheduler), request_(request), left_(request.limit) {}

  State produce(std::string& piece, size_t target_bytes) override {
    if (!begun_) piece += "{\"executions\": [";
    bool has_more = false;
    const Outlook outlook = scheduler_.outlook();
    auto read = executions_.each_part(request_.composite, request_.from_index, [&](const Execution& part) {
      has_more = left_ == 0 || piece.size() >= target_bytes;
      if (!has_more) append(piece, part, outlook);
      return !has_more;
    });
    if (!read) {
      log_error("parts of {}: {}", request_.composite.to_string(), read.error().message);
      return State::failed;
    }
    if (has_more && left_ > 0) return State::data;
    piece += has_more ? "], \"cursor\": \"" + last_.to_string() + "\"}" : "], \"cursor\": null}";
    return State::end;
  }

 private:
  // What is stored does not say why it waits.
  void append(std::string& piece, const Execution& part, const Outlook& outlook) {
    Execution shown = part;
    shown.waiting_for = scheduler_.explain(part, outlook);
    if (begun_) piece += ", ";
    begun_ = true;
    piece += request_.brief ? brief_part_to_json(shown) : execution_to_json(shown);
    --left_;
    last_ = part.id;
    if (part.spec.indices) request_.from_index = part.spec.indices->from + 1;
  }

  const ExecutionService& executions_;
  const Scheduler& scheduler_;
  PartsRequest request_;
  size_t left_;
  ExecutionId last_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<Producer> stream_parts(const ExecutionService& executions, const Scheduler& scheduler,
                                       const PartsRequest& request) {
  return std::make_unique<PartsProducer>(executions, scheduler, request);
}

}  // namespace plz
