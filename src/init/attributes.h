// Gives the job the limits, processors, niceness and so on that its specification names.
#pragma once

#include <sys/resource.h>

#include <string>
#include <vector>

namespace plz::init {

// As the specification has them (contract.h); null: plz-init's own, less what `umask` says.
struct AttributeSpec {
  std::vector<const char*> limits;
  const char* affinity = nullptr;
  const char* niceness = nullptr;
  const char* umask = nullptr;
  const char* scheduling = nullptr;
  const char* io_priority = nullptr;
  const char* oom_score = nullptr;
  const char* personality = nullptr;
};

// Hard limits go up and niceness down only by privileges that nobody has inside the box. What needs none is not
// touched: it is the job's, not plz-init's.
void raise_for_the_job(const AttributeSpec& wanted);

// In the process that is to become the job.
class JobAttributes {
 public:
  explicit JobAttributes(const AttributeSpec& wanted) : wanted_(wanted) {}
  // All but the limits, which may be too small for what is still to be done here.
  void give();
  // As the very last: allocates nothing.
  void give_limits() const;
  // After give(), also of limits to come: "niceness 0 (it has 5), nofile …"; "" where all was given.
  const std::string& not_given() const { return not_given_; }

 private:
  struct Limit {
    int resource;
    rlimit value;
  };
  void plan_limit(const char* text);
  void give_affinity();
  void give_niceness();
  void give_scheduling();
  void lacks(const std::string& what, const std::string& has);

  const AttributeSpec& wanted_;
  std::vector<Limit> limits_;
  std::string not_given_;
};

}  // namespace plz::init
