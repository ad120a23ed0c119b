#include "tools/load/recorder.hpp"

namespace docket::load {

LatencyHistogram Recorder::all() const {
  const std::lock_guard lock(mutex_);
  return all_;
}

Recorder::Slice Recorder::take_slice() {
  const std::lock_guard lock(mutex_);
  const Slice slice{recent_.count(), recent_.percentile(0.5), recent_.percentile(0.99)};
  recent_.clear();
  return slice;
}

}  // namespace docket::load
