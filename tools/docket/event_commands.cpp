// search, show and tail: events themselves.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>

#include "query/render.hpp"
#include "query/searcher.hpp"
#include "tools/api/routes.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/event_output.hpp"
#include "tools/docket/event_walk.hpp"

namespace docket::cli {

namespace {

void write_json_part(Context& context, std::string_view text) {
  context.out.write(context.terminal.is_terminal ? json_for_terminal(text) : std::string(text));
}

}  // namespace

int run_search(Context& context, Source& source) {
  const Arguments& arguments = context.arguments;
  api::Parameters parameters = question_of(context);
  if (arguments.oldest) {
    parameters.set("oldest", "1");
  }
  std::uint64_t wanted = arguments.limit;
  std::string next = arguments.cursor;
  std::vector<Event> events;  // for the table only, whose widths depend on all of them
  EventDocument document;
  std::vector<Gap> gaps;
  bool is_first = true;
  do {
    parameters.set("limit", std::to_string(std::min<std::uint64_t>(wanted, query::page_limit_max)));
    if (!next.empty()) {
      parameters.set("cursor", next);
    }
    const auto body = source.get(std::string(api::path_of(api::Endpoint::search)), parameters);
    if (!body) {
      return complain(body.error());
    }
    auto page = read_page(*body);
    const auto found = read_gaps(*body);
    if (!page || !found) {
      return complain(page ? found.error() : page.error());
    }
    if (is_first) {
      write_heading(context);  // nothing before it is known that there is an answer
      is_first = false;
    }
    gaps.insert(gaps.end(), found->begin(), found->end());
    for (Event& event : page->events) {
      if (arguments.format == Format::table) {
        events.push_back(std::move(event));
      } else if (arguments.format == Format::json) {
        write_json_part(context, document.add(event));
      } else {
        write_event_record(context, event);
      }
    }
    next = page->next;
    wanted -= std::min<std::uint64_t>(wanted, page->events.size());
    if (page->events.empty()) {
      break;
    }
  } while (wanted > 0 && !next.empty() && !context.out.gone());
  merge_gaps(gaps);
  if (arguments.format == Format::table) {
    context.out.write(events_table(events).text(context.terminal, context.zone));
  } else if (arguments.format == Format::json) {
    write_json_part(context, document.end(next, gaps) + "\n");
  }
  context.out.flush();
  if (!next.empty()) {
    static_cast<void>(std::fprintf(stderr, "next: %s\n", query::terminal_safe(next).c_str()));
  }
  return report_gaps(context, gaps);
}

int run_show(Context& context, Source& source) {
  const auto body = event_json(source, context.arguments.event);
  if (!body) {
    return complain(body.error());
  }
  if (context.arguments.format == Format::json) {
    write_json(context, *body);
    return exit_done;
  }
  const auto event = read_event(*body);
  if (!event) {
    return complain(event.error());
  }
  if (context.arguments.format == Format::table) {
    context.out.write(event_in_full(*event, context.terminal, context.zone));
  } else {
    write_heading(context);
    write_event_record(context, *event);
  }
  return exit_done;
}

namespace {

// Set by a signal that asks to end.
volatile std::sig_atomic_t is_interrupted = 0;

// Gives events to `write` until somebody has enough: who reads them, or who interrupts us. Then
// what goes on behind them is said on stderr.
int follow(Context& context, Source& source, const api::Parameters& parameters,
           const std::function<void(const Event&)>& write) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    static_cast<void>(std::signal(signal, [](int) { is_interrupted = 1; }));
  }
  const auto goes_on = [&context] { return !context.out.gone() && is_interrupted == 0; };
  std::optional<Error> broken;
  std::vector<Gap> gaps;
  std::string position;
  Follower follower;
  follower.event = [&](std::string_view json) {
    const auto event = read_event(json);
    if (event) {
      write(*event);
    } else {
      broken = event.error();
    }
    return event && !context.out.gone();
  };
  follower.gap = [&](const Gap& gap) {
    context.out.flush();
    static_cast<void>(report_gaps(context, {gap}));
    gaps.push_back(gap);
  };
  follower.position = [&](std::string_view at) { position = at; };
  follower.idle = [&] {
    context.out.flush();
    return goes_on();
  };
  follower.lost = [&](const Error* error) {
    context.out.flush();
    const std::string text = error == nullptr
                                 ? "the server is back; nothing was left out"
                                 : query::terminal_safe(error->message) + "; trying again";
    static_cast<void>(std::fprintf(stderr, "docket: %s\n", text.c_str()));
  };
  const auto followed = source.follow(parameters, follower);
  context.out.flush();
  if (broken || !followed) {
    return complain(broken ? *broken : followed.error());
  }
  if (is_interrupted != 0 && !position.empty()) {
    static_cast<void>(
        std::fprintf(stderr, "next: --after %s\n", query::terminal_safe(position).c_str()));
  }
  return !gaps.empty() && context.arguments.strict ? exit_damaged : exit_done;
}

}  // namespace

int run_tail(Context& context, Source& source) {
  const Arguments& arguments = context.arguments;
  const auto write = [&context](const Event& event) {
    if (context.arguments.format == Format::table) {
      context.out.write(event_line(event, context.terminal, context.zone));
    } else {
      write_event_record(context, event);
    }
  };
  api::Parameters parameters = question_of(context);
  if (arguments.follow) {
    write_heading(context);
    parameters.set("n", std::to_string(arguments.newest));
    if (!arguments.after.empty()) {
      parameters.set("after", arguments.after);
    }
    return follow(context, source, parameters, write);
  }
  std::vector<Event> events;
  std::vector<Gap> gaps;
  if (arguments.newest > 0) {
    const auto walked =
        walk_events(source, parameters, arguments.newest, [&events](const Event& event) {
          events.push_back(event);
          return true;
        });
    if (!walked) {
      return complain(walked.error());
    }
    gaps = walked->gaps;
  }
  write_heading(context);
  std::ranges::reverse(events);
  if (arguments.format == Format::json) {
    EventDocument document;
    for (const Event& event : events) {
      write_json_part(context, document.add(event));
    }
    write_json_part(context, document.end("", gaps) + "\n");
  } else {
    std::ranges::for_each(events, write);
  }
  return report_gaps(context, gaps);
}

}  // namespace docket::cli
