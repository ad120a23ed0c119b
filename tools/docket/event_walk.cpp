#include "tools/docket/event_walk.hpp"

#include <algorithm>

#include "query/searcher.hpp"
#include "tools/api/routes.hpp"
#include "tools/docket/answer_reader.hpp"

namespace docket::cli {

namespace {
// So many at a time, whatever is wanted: what is not looked at need not have been read.
constexpr std::uint64_t page_events = 1000;
}  // namespace

Result<std::string> event_json(Source& source, const std::string& name) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == name.size()) {
    return fail(ErrorCode::invalid_argument, "an event is named LOG:SEQ, such as activity:17");
  }
  return source.get(std::string(api::path_of(api::Endpoint::event)) +
                        api::percent_encode(name.substr(0, colon)) + "/" +
                        api::percent_encode(name.substr(colon + 1)),
                    {});
}

Result<Walked> walk_events(Source& source, api::Parameters parameters, std::uint64_t wanted,
                           const std::function<bool(const Event&)>& sink) {
  Walked walked;
  for (;;) {
    parameters.set("limit", std::to_string(std::clamp<std::uint64_t>(wanted, 1, page_events)));
    DOCKET_ASSIGN(const std::string body,
                  source.get(std::string(api::path_of(api::Endpoint::search)), parameters));
    DOCKET_ASSIGN(const EventPage page, read_page(body));
    DOCKET_ASSIGN(const std::vector<Gap> gaps, read_gaps(body));
    walked.gaps.insert(walked.gaps.end(), gaps.begin(), gaps.end());
    for (const Event& event : page.events) {
      if (wanted == 0) {
        walked.more = true;
        break;
      }
      --wanted;
      if (!sink(event)) {
        merge_gaps(walked.gaps);
        return walked;
      }
    }
    walked.more = walked.more || (wanted == 0 && !page.next.empty());
    if (page.next.empty() || wanted == 0) {
      merge_gaps(walked.gaps);
      return walked;
    }
    parameters.set("cursor", page.next);
  }
}

std::string condition(std::string_view field, std::string_view value) {
  std::string text(field);
  text += ":\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
    }
    text += c;
  }
  return text + '"';
}

}  // namespace docket::cli
