#include "tools/docket/report_plan.hpp"

#include <algorithm>
#include <array>

#include "engine/assert.hpp"
#include "engine/timestamp.hpp"
#include "query/parser.hpp"

namespace docket::cli {

namespace {

using Part = ReportPart;

// The campaign log has an event for each recipient, which would drown what people did.
constexpr std::string_view by_people = "-log:campaign -actor.kind:system";
constexpr std::string_view settings =
    "-log:campaign AND (verb:CONFIGURE,ACTIVATE,DEACTIVATE,PAUSE,RESUME OR "
    "target.type:SendingNode,SendingDomain,BounceAddress,BounceRule,Domain)";
constexpr std::string_view rights =
    "(verb:PASSWORD_CHANGE,MFA_ENROL OR "
    "target.type:ApiToken,ApiRole,AdminRole,Administrator,User) -verb:SIGN_IN,SIGN_OUT";
constexpr std::string_view deletions =
    "-log:campaign verb:DELETE,SUPPRESS,UNSUPPRESS,IMPORT,EXPORT";
constexpr std::string_view failed = "outcome:failure,denied";
constexpr std::string_view sign_ins = "verb:SIGN_IN,SIGN_OUT";
constexpr std::string_view failed_sign_ins = "verb:SIGN_IN -outcome:success";

constexpr std::array handover{
    ReportSection{"All that happened", Part::facets, "", "log,outcome"},
    ReportSection{"Who did something", Part::facets, by_people, "actor"},
    ReportSection{"What was done to what", Part::facets, by_people, "verb,target.type"},
    ReportSection{"Settings that were changed", Part::events, settings, ""},
    ReportSection{"Rights and accounts that were changed", Part::events, rights, ""},
    ReportSection{"Deleted, suppressed, imported, exported", Part::events, deletions, ""},
    ReportSection{"What failed or was denied", Part::facets, failed, "reason,actor,ip,verb"},
};
constexpr std::array activity{
    ReportSection{"Who", Part::facets, by_people, "actor.kind,actor"},
    ReportSection{"Did what", Part::facets, by_people, "verb"},
    ReportSection{"To what", Part::facets, by_people, "target.type,target"},
    ReportSection{"From where", Part::facets, by_people, "ip"},
    ReportSection{"When", Part::histogram, by_people, "1d"},
};
constexpr std::array access_sections{
    ReportSection{"Signed in and out", Part::facets, sign_ins, "outcome,actor,ip"},
    ReportSection{"Sign-ins that failed or were denied", Part::facets, failed_sign_ins,
                  "actor,ip,reason"},
    ReportSection{"The latest of these", Part::events, failed_sign_ins, ""},
    ReportSection{"Passwords, second factors, rights and accounts", Part::events, rights, ""},
    ReportSection{"Denied", Part::facets, "outcome:denied", "actor,verb,target.type,reason"},
    ReportSection{"By API token", Part::facets, "actor.kind:api_token", "actor,ip,outcome"},
};
constexpr std::array failures{
    ReportSection{"Where and how", Part::facets, failed, "log,outcome,verb,reason"},
    ReportSection{"Whose, and from where", Part::facets, failed, "actor,ip"},
    ReportSection{"On what", Part::facets, failed, "target.type,target"},
    ReportSection{"When", Part::histogram, failed, "1h"},
    ReportSection{"The latest", Part::events, failed, ""},
};

constexpr std::array all_reports{
    Report{"handover", "what the next shift must know", "12h", handover},
    Report{"activity", "who did what, to what, from where, when", "7d", activity},
    Report{"access", "sign-ins, rights, denials, tokens", "7d", access_sections},
    Report{"failures", "what failed or was denied", "24h", failures},
};

}  // namespace

std::span<const Report> reports() {
  return all_reports;
}

const Report* find_report(std::string_view name) {
  const auto found =
      std::ranges::find_if(all_reports, [&](const Report& each) { return each.name == name; });
  return found == all_reports.end() ? nullptr : &*found;
}

Result<ReportScope> scope_of(const Report& report, const std::string& query,
                             const query::TimeZone& zone, Nanos now) {
  const query::ParseContext context{now, zone};
  ReportScope scope;
  DOCKET_ASSIGN(const query::Query asked, query::parse(query, context));
  std::string bounds;
  if (asked.since == INT64_MIN && asked.until == INT64_MAX) {
    bounds = "since:" + std::string(report.since);
  }
  if (asked.until == INT64_MAX) {
    bounds += std::string(bounds.empty() ? "" : " ") + "until:" + format_rfc3339(now);
  }
  scope.query = bounds.empty() || query.empty() ? query + bounds : "(" + query + ") AND " + bounds;
  DOCKET_ASSIGN(const query::Query whole, query::parse(scope.query, context));
  // Relative times are written out, so that all sections mean the same instants.
  scope.query = query::print(*whole.where);
  scope.since = whole.since;
  scope.until = whole.until;
  return scope;
}

std::string_view width_for(std::string_view width, std::uint64_t span_ns) {
  struct Width {
    std::string_view name;
    std::uint64_t hours;
  };
  static constexpr std::array widths{Width{"1h", 1}, Width{"1d", 24}, Width{"1w", 7 * 24},
                                     Width{"4w", 28 * 24}, Width{"52w", 364 * 24}};
  static constexpr std::uint64_t rows_max = 400;
  static constexpr std::uint64_t hour_ns = 3'600'000'000'000;
  const auto* chosen = std::ranges::find(widths, width, &Width::name);
  DOCKET_ASSERT(chosen != widths.end());
  while (chosen + 1 != widths.end() && span_ns / hour_ns / chosen->hours > rows_max) {
    ++chosen;
  }
  return chosen->name;
}

std::string query_of(const ReportScope& scope, const ReportSection& section) {
  return section.query.empty() ? scope.query
                               : "(" + scope.query + ") AND (" + std::string(section.query) + ")";
}

}  // namespace docket::cli
