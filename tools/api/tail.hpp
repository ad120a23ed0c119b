// Following the store: the newest events, then each matching one as it becomes visible, every one
// once and none left out between the two.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "tools/api/position.hpp"
#include "tools/api/service.hpp"

namespace docket::api {

// Not thread-safe.
class Tail {
 public:
  using Sink = std::function<void(const Event&)>;
  using GapSink = std::function<void(const Gap&)>;

  // Reads `q`, `tz`, `n` and `after`. `position`, where not empty, counts instead of `after`: each
  // is where an earlier one stood, or any `log:seq` a log. It goes on behind it, and `n` does not
  // count; a log that it does not name is given from its first event on. Relative times, those of
  // `scope` too, mean the moment of this call. Error: invalid_argument, also where a log that is
  // asked for ends before that.
  [[nodiscard]] static Result<Tail> open(const Service& service, const Parameters& parameters,
                                         std::string_view position, const Scope& scope = {});

  // Gives `sink` the next events, in order of time among those of one call: at first the newest
  // `n`, later what became visible. At most about 1 MiB of them; true: there may be more at once.
  // What should be among them and cannot be read goes to `gap`.
  [[nodiscard]] Result<bool> poll(const std::atomic<bool>* cancel, const Sink& sink,
                                  const GapSink& gap);
  // Everything up to here was given to a sink: "activity:17,api:3". Empty before the first poll.
  [[nodiscard]] std::string position() const;

 private:
  Tail(const Service& service, Question question)
      : service_(&service), question_(std::move(question)) {}

  [[nodiscard]] Result<bool> newest(const std::atomic<bool>* cancel, const Sink& sink,
                                    const GapSink& gap);

  const Service* service_;
  Question question_;
  Position seen_;
  std::uint32_t newest_ = 0;
  bool started_ = false;
  std::uint64_t step_ = 4096;  // rows of a log looked at in one poll
};

inline constexpr std::uint32_t tail_newest_default = 10;
inline constexpr std::uint32_t tail_newest_max = 1000;

}  // namespace docket::api
