// story: the session around an event on one timeline.
//
// It begins with the actor's last successful sign-in at or before the event and ends with the
// sign-out (or the next sign-in) behind it, looked for within a day; where there is none, an hour
// before and behind the event. In it stands everything that the actor did, or that carries the
// event's session id; and from an hour before its beginning on what failed or was denied to the
// actor or at the event's address, whoever tried. The system's own log belongs to the story of an
// event of that log only.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/commands.hpp"
#include "tools/docket/event_output.hpp"
#include "tools/docket/event_walk.hpp"

namespace docket::cli {

namespace {

constexpr Nanos second = 1'000'000'000;
constexpr Nanos hour = 3600 * second;
constexpr Nanos reach = 24 * hour;

Nanos moved(Nanos at, Nanos by) {
  Nanos result = 0;
  return __builtin_add_overflow(at, by, &result) ? (by < 0 ? INT64_MIN : INT64_MAX) : result;
}

std::string since(Nanos at) {
  return "since:" + format_rfc3339(at);
}
std::string until(Nanos at) {
  return "until:" + format_rfc3339(at);
}

struct Told {
  std::vector<Event> events;  // oldest first
  bool more = false;          // the timeline goes on at one end or both
  std::vector<Gap> gaps;
};

class Story {
 public:
  Story(Source& source, Event event, Nanos window)
      : source_(source),
        event_(std::move(event)),
        window_(window),
        logs_(event_.log == "docket" ? "log:* " : ""),
        actor_(condition("actor", event_.actor.kind + ":" + event_.actor.id)) {}

  // Finds where it begins and ends.
  Result<void> find_bounds() {
    DOCKET_ASSIGN(signed_in_,
                  first_of("(verb:SIGN_IN outcome:success) AND " + since(moved(event_.ts, -reach)) +
                               " " + until(moved(event_.ts, 1)),
                           false));
    since_ = signed_in_ ? signed_in_->ts : moved(event_.ts, -window_);
    DOCKET_ASSIGN(signed_out_, first_of("(verb:SIGN_OUT,SIGN_IN outcome:success) AND " +
                                            since(moved(event_.ts, is_sign_in(event_) ? 1 : 0)) +
                                            " " + until(moved(event_.ts, reach)),
                                        true));
    // The next sign-in begins another session; only a sign-out belongs to this one.
    if (signed_out_ && is_sign_in(*signed_out_)) {
      until_ = signed_out_->ts;
      signed_out_.reset();
    } else if (signed_out_) {
      until_ = moved(signed_out_->ts, 1);
    } else {
      until_ = moved(event_.ts, window_);
    }
    until_ = std::max(until_, moved(event_.ts, 1));
    return {};
  }

  // What finds the timeline; can be asked as it stands.
  [[nodiscard]] std::string query() const {
    std::string whose = actor_;
    if (!event_.session.empty()) {
      whose += " OR " + condition("session", event_.session);
    }
    std::string failing = actor_;
    if (event_.ip) {
      failing += " OR ip:" + format_ip(*event_.ip);
    }
    const std::string text =
        fmt::format("(({}) {} {}) OR (({}) -outcome:success {} {})", whose, since(since_),
                    until(until_), failing, since(moved(since_, -hour)), until(until_));
    return logs_.empty() ? text : logs_ + "(" + text + ")";
  }

  // At most `limit` events, those nearest to the event.
  [[nodiscard]] Result<Told> tell(std::uint64_t limit) const {
    std::vector<Event> before, after;
    DOCKET_ASSIGN(const Walked up_to, walk(until(moved(event_.ts, 1)), false, limit, before));
    DOCKET_ASSIGN(const Walked from, walk(since(moved(event_.ts, 1)), true, limit, after));
    const std::size_t kept_before =
        std::min<std::size_t>(before.size(), std::max(limit - limit / 2, limit - after.size()));
    const std::size_t kept_after = std::min<std::size_t>(after.size(), limit - kept_before);
    Told told;
    told.more = up_to.more || from.more || kept_before < before.size() || kept_after < after.size();
    before.resize(kept_before);
    std::ranges::reverse(before);
    told.events = std::move(before);
    told.events.insert(told.events.end(), after.begin(),
                       after.begin() + static_cast<std::ptrdiff_t>(kept_after));
    told.gaps = up_to.gaps;
    told.gaps.insert(told.gaps.end(), from.gaps.begin(), from.gaps.end());
    merge_gaps(told.gaps);
    return told;
  }

  [[nodiscard]] const Event& event() const { return event_; }
  [[nodiscard]] const std::optional<Event>& signed_in() const { return signed_in_; }
  [[nodiscard]] const std::optional<Event>& signed_out() const { return signed_out_; }
  [[nodiscard]] Nanos begins() const { return since_; }
  [[nodiscard]] Nanos ends() const { return until_; }

  [[nodiscard]] bool is_same_actor(const Event& other) const {
    return other.actor.kind == event_.actor.kind && other.actor.id == event_.actor.id;
  }

 private:
  Result<Walked> walk(const std::string& side, bool oldest, std::uint64_t limit,
                      std::vector<Event>& into) const {
    api::Parameters parameters;
    parameters.set("q", fmt::format("({}) AND {}", query(), side));
    if (oldest) {
      parameters.set("oldest", "1");
    }
    return walk_events(source_, parameters, limit, [&into](const Event& each) {
      into.push_back(each);
      return true;
    });
  }

  static bool is_sign_in(const Event& event) { return event.verb == "SIGN_IN"; }

  // The oldest or newest event of the actor that meets `more`.
  Result<std::optional<Event>> first_of(const std::string& more, bool oldest) {
    api::Parameters parameters;
    parameters.set("q", logs_ + actor_ + " AND " + more);
    if (oldest) {
      parameters.set("oldest", "1");
    }
    std::optional<Event> found;
    // `actor:` finds ids and names as well.
    DOCKET_TRY(walk_events(source_, parameters, UINT64_MAX, [&](const Event& each) {
      if (is_same_actor(each) && each.outcome == Outcome::success) {
        found = each;
      }
      return !found;
    }));
    return found;
  }

  Source& source_;
  Event event_;
  Nanos window_;
  std::string logs_;  // the system's own log has to be named
  std::string actor_;
  std::optional<Event> signed_in_, signed_out_;
  Nanos since_ = 0;
  Nanos until_ = 0;
};

// `+00:03:12`, from the event that the story is about.
std::string offset_text(Nanos offset) {
  const bool before = offset < 0;
  const std::uint64_t seconds =
      (before ? 0 - static_cast<std::uint64_t>(offset) : static_cast<std::uint64_t>(offset)) /
      static_cast<std::uint64_t>(second);
  return fmt::format("{}{:02}:{:02}:{:02}", before ? '-' : '+', seconds / 3600, seconds / 60 % 60,
                     seconds % 60);
}

bool is_about(const Event& event, const Event& other) {
  return event.log == other.log && event.seq == other.seq;
}

Table timeline(const Story& story, const std::vector<Event>& events) {
  Table table({{"offset", Column::Kind::text, false, true},
               {"time", Column::Kind::time},
               {"event", Column::Kind::text, false, true},
               {"actor"},
               {"verb"},
               {"target"},
               {"outcome"},
               {"ip"}});
  const Event& about = story.event();
  for (const Event& event : events) {
    const bool is_it = is_about(event, about);
    const Nanos offset = moved(event.ts, about.ts == INT64_MIN ? INT64_MAX : -about.ts);
    table.add({is_it ? ">" : offset_text(offset), format_rfc3339(event.ts), event_name(event),
               actor_text(event.actor), event.verb, targets_text(event), outcome_text(event),
               ip_text(event)});
  }
  return table;
}

std::string bounds_text(const Story& story, const query::TimeZone& zone) {
  const auto at = [&zone](const Event& event) {
    return fmt::format("{}  {}", zone.format(event.ts), event_name(event));
  };
  return fmt::format(
      "signed in   {}\nsigned out  {}\n",
      story.signed_in() ? at(*story.signed_in())
                        : "not seen in the day before; begins " + zone.format(story.begins()),
      story.signed_out() ? at(*story.signed_out())
                         : "not seen in the day behind; ends " + zone.format(story.ends()));
}

std::string summary_text(const Story& story, const std::vector<Event>& events) {
  std::map<std::string, std::uint64_t> logs;
  std::uint64_t failed = 0;
  std::uint64_t others = 0;
  for (const Event& event : events) {
    ++logs[event.log];
    failed += event.outcome != Outcome::success ? 1 : 0;
    others += story.is_same_actor(event) ? 0 : 1;
  }
  std::string text = fmt::format("{} events", events.size());
  for (const auto& [log, count] : logs) {
    text += fmt::format("{}{} {}", log == logs.begin()->first ? ": " : ", ", log, count);
  }
  return text + fmt::format("; {} failed or denied, {} of other actors\n", failed, others);
}

void append_name(std::string& out, std::string_view member, const std::optional<Event>& event) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", member);
  if (event) {
    query::append_json_string(out, event_name(*event));
  } else {
    out += "null";
  }
}

std::string json_text(const Story& story, const Told& told) {
  std::string text = "{\"event\":";
  query::append_json_string(text, event_name(story.event()));
  append_name(text, "signed_in", story.signed_in());
  append_name(text, "signed_out", story.signed_out());
  text += ",\"since\":\"" + format_rfc3339(story.begins()) + "\",\"until\":\"" +
          format_rfc3339(story.ends()) + "\",\"query\":";
  query::append_json_string(text, story.query());
  text += ",\"events\":[";
  const char* separator = "";
  for (const Event& event : told.events) {
    text += separator;
    query::append_json(text, event, query::PayloadForm::as_sent);
    separator = ",";
  }
  text += fmt::format("],\"more\":{},", told.more);
  query::append_json_gaps(text, told.gaps);
  return text + '}';
}

void write_story(Context& context, const Story& story, const Told& told) {
  const Event& event = story.event();
  context.out.write(query::terminal_safe(
      fmt::format("The story of {}: {}{}{}{}{}", event_name(event), actor_text(event.actor),
                  event.ip ? " from " : "", ip_text(event),
                  event.session.empty() ? "" : ", session ", event.session)));
  context.out.write("\n" + bounds_text(story, context.zone) + "\n");
  context.out.write(timeline(story, told.events).text(context.terminal, context.zone));
  context.out.write("\n" + summary_text(story, told.events));
  if (told.more) {
    context.out.write(fmt::format("There are more than {} events; see --limit, or all of them by\n",
                                  told.events.size()));
  }
  context.out.write("docket search --oldest " + shell_word(story.query()) + "\n");
}

}  // namespace

int run_story(Context& context, Source& source) {
  const auto body = event_json(source, context.arguments.event);
  if (!body) {
    return complain(body.error());
  }
  auto event = read_event(*body);
  if (!event) {
    return complain(event.error());
  }
  Story story(source, std::move(*event), context.arguments.window);
  if (const auto found = story.find_bounds(); !found) {
    return complain(found.error());
  }
  const auto told = story.tell(context.arguments.limit);
  if (!told) {
    return complain(told.error());
  }
  switch (context.arguments.format) {
    case Format::table:
      write_story(context, story, *told);
      break;
    case Format::json:
      write_json(context, json_text(story, *told));
      break;
    default:
      write_heading(context);
      for (const Event& each : told->events) {
        write_event_record(context, each);
      }
      if (told->more) {
        static_cast<void>(std::fprintf(stderr, "docket: there are more events; see --limit\n"));
      }
      break;
  }
  return report_gaps(context, told->gaps);
}

}  // namespace docket::cli
