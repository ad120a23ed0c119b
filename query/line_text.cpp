#include "query/line_text.hpp"

#include <fmt/format.h>

namespace docket::query {

std::string summary_of(const StoredView& event) {
  const ActorView& actor = event.actor;
  std::string text = actor.name.empty()
                         ? fmt::format("{}:{}", actor.kind, actor.id)
                         : fmt::format("{} ({}:{})", actor.name, actor.kind, actor.id);
  text += fmt::format(" {} {}", event.verb, event.target.type);
  text += event.target.id.empty() ? "" : fmt::format(":{}", event.target.id);
  text += event.target.name.empty() ? "" : fmt::format(" ({})", event.target.name);
  if (!event.related.empty()) {
    text += fmt::format(" +{}", event.related.size());
  }
  if (event.affected != 1) {
    text += fmt::format(", {} objects", event.affected);
  }
  text += fmt::format(": {}", to_string(event.outcome));
  text += event.reason.empty() ? "" : fmt::format(", {}", event.reason);
  return text;
}

}  // namespace docket::query
