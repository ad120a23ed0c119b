#include "tools/load/vocabulary.hpp"

#include <vector>

namespace docket::load {
namespace {

// Objects of the platform that people edit, with the weight of all actions on them.
struct Edited {
  std::string_view type;
  double weight;
};
constexpr std::array edited_types{
    Edited{"Contact", 62},     Edited{"List", 6},        Edited{"CustomField", 1.5},
    Edited{"Segment", 4},      Edited{"Broadcast", 7},   Edited{"Drip", 3},
    Edited{"Trigger", 2.5},    Edited{"SendingNode", 1}, Edited{"SendingDomain", 1.2},
    Edited{"BounceRule", 0.5}, Edited{"WebForm", 2},     Edited{"BounceAddress", 0.6},
    Edited{"ApiToken", 1.5},   Edited{"ApiRole", 0.4},   Edited{"AdminRole", 0.3},
    Edited{"User", 2},         Edited{"Domain", 0.5},    Edited{"Administrator", 0.7},
};

// What people do to them: verb, weight, and how it goes.
constexpr std::array edits{
    Action{Surface::activity, "CREATE", "", 17, 30, 1, 0, 1, 2},
    Action{Surface::activity, "EDIT", "", 24, 78, 1, 0, 1, 3},
    Action{Surface::activity, "UPDATE", "", 30, 70, 1, 1, 2, 3},
    Action{Surface::activity, "DELETE", "", 8, 0, 0, 2, 6, 8},
    Action{Surface::activity, "CONFIGURE", "", 3, 80, 1, 1, 0, 0},
    Action{Surface::activity, "IMPORT", "", 2, 5, 4, 0, 90, 10},
    Action{Surface::activity, "EXPORT", "", 3, 0, 1, 3, 90, 0},
    Action{Surface::activity, "ACTIVATE", "", 2, 10, 1, 0, 0, 0},
    Action{Surface::activity, "DEACTIVATE", "", 2, 10, 0, 1, 0, 0},
};

constexpr std::array special_actions{
    Action{Surface::activity, "SCHEDULE", "Broadcast", 2.5, 60, 1, 0, 0, 30},
    Action{Surface::activity, "SEND", "Broadcast", 3, 10, 2, 0, 100, 60},
    Action{Surface::activity, "PAUSE", "Broadcast", 0.6, 0, 0, 0, 0, 0},
    Action{Surface::activity, "PAUSE", "SendingNode", 0.5, 40, 0, 0, 0, 0},
    Action{Surface::activity, "RESUME", "SendingNode", 0.5, 40, 0, 0, 0, 0},
    Action{Surface::activity, "RESUME", "Drip", 0.5, 0, 0, 0, 0, 0},
    Action{Surface::activity, "SUPPRESS", "Contact", 4, 20, 0, 0, 4, 4},
    Action{Surface::activity, "UNSUPPRESS", "Contact", 1, 20, 0, 1, 1, 1},
    Action{Surface::activity, "SUPPRESS", "Suppression", 1, 20, 0, 0, 30, 0},

    Action{Surface::campaign, "SENT", "Contact", 40, 0, 0, 0, 0, 2},
    Action{Surface::campaign, "DELIVERED", "Contact", 38, 16, 0, 0, 0, 2},
    Action{Surface::campaign, "BOUNCED", "Contact", 2.5, 80, 100, 0, 0, 5, "mailbox_full"},
    Action{Surface::campaign, "OPENED", "Contact", 14, 10, 0, 0, 0, 6},
    Action{Surface::campaign, "CLICKED", "Contact", 4, 40, 0, 0, 0, 25},
    Action{Surface::campaign, "COMPLAINED", "Contact", 0.3, 0, 0, 0, 0, 50},
    Action{Surface::campaign, "UNSUBSCRIBED", "Contact", 1.2, 0, 0, 0, 0, 50},

    Action{Surface::api, "CREATE", "Contact", 30, 25, 12, 5, 2, 0},
    Action{Surface::api, "UPDATE", "Contact", 38, 40, 10, 5, 2, 2},
    Action{Surface::api, "DELETE", "Contact", 6, 0, 5, 20, 2, 0},
    Action{Surface::api, "IMPORT", "List", 4, 10, 25, 5, 95, 0},
    Action{Surface::api, "EXPORT", "Segment", 6, 0, 10, 30, 95, 0},
    Action{Surface::api, "SEND", "Broadcast", 10, 0, 30, 10, 0, 0},
    Action{Surface::api, "SUPPRESS", "Suppression", 6, 0, 5, 5, 0, 0},

    Action{Surface::authentication, "SIGN_IN", "User", 48, 0, 9, 1, 0, 0, "wrong_password"},
    Action{Surface::authentication, "SIGN_IN", "Administrator", 9, 0, 4, 2, 0, 0, "mfa_mismatch"},
    Action{Surface::authentication, "SIGN_OUT", "User", 36, 0, 0, 0, 0, 0},
    Action{Surface::authentication, "PASSWORD_CHANGE", "User", 4, 30, 12, 0, 0, 0},
    Action{Surface::authentication, "MFA_ENROL", "User", 3, 50, 8, 0, 0, 0},
};

std::vector<Action> all_actions() {
  std::vector<Action> all(special_actions.begin(), special_actions.end());
  for (const Edited& edited : edited_types) {
    for (Action action : edits) {
      action.type = edited.type;
      action.weight *= edited.weight / 100;
      all.push_back(action);
    }
  }
  return all;
}

using Form = DiffField::Form;

constexpr std::array<std::string_view, 6> status_choices{
    R"("draft")", R"("scheduled")", R"("sending")", R"("sent")", R"("paused")", R"("archived")"};
constexpr std::array<std::string_view, 5> contact_states{
    R"("active")", R"("unconfirmed")", R"("unsubscribed")", R"("bounced")", "null"};
constexpr std::array<std::string_view, 7> languages{R"("de")", R"("en")",    R"("fr")", R"("es")",
                                                    R"("it")", R"("pt-BR")", R"("pl")"};
constexpr std::array<std::string_view, 6> cities{
    R"({"city":"Berlin","zip":"10115"})",    R"({"city":"Köln","zip":"50667"})",
    R"({"city":"Lyon","zip":"69001"})",      R"({"city":"Zürich","zip":"8001"})",
    R"({"city":"São Paulo","zip":"01310"})", R"({"city":"Leeds","zip":"LS1"})"};
constexpr std::array<std::string_view, 6> tag_sets{R"([])",
                                                   R"(["vip"])",
                                                   R"(["lead","trade-fair"])",
                                                   R"(["customer"])",
                                                   R"(["customer","b2b"])",
                                                   R"(["press","vip"])"};
constexpr std::array<std::string_view, 4> greylist_choices{R"("retry_5m")", R"("retry_15m")",
                                                           R"("retry_1h")", R"("give_up")"};
constexpr std::array<std::string_view, 4> scope_sets{R"(["contacts:read"])",
                                                     R"(["contacts:read","contacts:write"])",
                                                     R"(["send"])", R"(["reports:read","export"])"};

constexpr std::array contact_fields{
    DiffField{"email", Form::address, 0, 1, 1, {}},
    DiffField{"status", Form::choice, 0, 1, 1, contact_states},
    DiffField{"score", Form::number, 0, 1000, 1, {}},
    DiffField{"language", Form::choice, 0, 1, 1, languages},
    DiffField{"address", Form::choice, 0, 1, 1, cities},
    DiffField{"tags", Form::choice, 0, 1, 1, tag_sets},
    DiffField{"note", Form::words, 2, 4, 1, {}},
    DiffField{"confirmed", Form::flag, 0, 1, 1, {}},
    DiffField{"customer_no", Form::number, 100000, 900000, 1, {}},
    DiffField{"company", Form::words, 2, 2, 1, {}},
};
constexpr std::array campaign_fields{
    DiffField{"subject", Form::words, 3, 4, 1, {}},
    DiffField{"status", Form::choice, 0, 1, 1, status_choices},
    DiffField{"from", Form::address, 0, 1, 1, {}},
    DiffField{"preheader", Form::words, 3, 5, 1, {}},
    DiffField{"recipients", Form::number, 100, 40000, 25, {}},
    DiffField{"track_opens", Form::flag, 0, 1, 1, {}},
    DiffField{"language", Form::choice, 0, 1, 1, languages},
    DiffField{"send_delay_min", Form::number, 0, 96, 15, {}},
    DiffField{"reply_to", Form::address, 0, 1, 1, {}},
    DiffField{"title", Form::words, 2, 3, 1, {}},
};
constexpr std::array setting_fields{
    DiffField{"hourly_limit", Form::number, 500, 100, 500, {}},
    DiffField{"enabled", Form::flag, 0, 1, 1, {}},
    DiffField{"max_connections", Form::number, 1, 64, 1, {}},
    DiffField{"greylisting", Form::choice, 0, 1, 1, greylist_choices},
    DiffField{"description", Form::words, 3, 4, 1, {}},
    DiffField{"contact_mail", Form::address, 0, 1, 1, {}},
    DiffField{"scopes", Form::choice, 0, 1, 1, scope_sets},
    DiffField{"daily_limit", Form::number, 10000, 200, 5000, {}},
    DiffField{"warmup_days", Form::number, 0, 60, 1, {}},
    DiffField{"name", Form::words, 2, 2, 1, {}},
};

constexpr std::array<std::string_view, 128> word_list{
    "account",  "address", "after",    "agenda",   "annual",    "answer",   "archive",  "article",
    "autumn",   "balance", "banner",   "basket",   "before",    "better",   "birthday", "bonus",
    "booking",  "branch",  "bright",   "budget",   "calendar",  "café",     "campaign", "catalog",
    "change",   "choice",  "city",     "client",   "coffee",    "contract", "corner",   "coupon",
    "custom",   "daily",   "deadline", "delivery", "design",    "digest",   "discount", "early",
    "easter",   "evening", "event",    "excerpt",  "exclusive", "express",  "fair",     "family",
    "festival", "final",   "first",    "flash",    "follow-up", "forum",    "friday",   "garden",
    "gift",     "global",  "green",    "guest",    "guide",     "holiday",  "home",     "hotel",
    "idea",     "insight", "invite",   "invoice",  "journal",   "keynote",  "launch",   "letter",
    "limited",  "local",   "loyalty",  "market",   "member",    "midweek",  "monthly",  "morning",
    "museum",   "music",   "national", "network",  "new",       "news",     "notice",   "offer",
    "office",   "online",  "open",     "order",    "outlet",    "partner",  "people",   "player",
    "podcast",  "portal",  "premium",  "press",    "preview",   "privacy",  "product",  "quarter",
    "quick",    "reader",  "region",   "release",  "reminder",  "report",   "résumé",   "reward",
    "sale",     "season",  "service",  "shop",     "spring",    "summer",   "survey",   "team",
    "ticket",   "travel",  "update",   "voucher",  "webinar",   "weekly",   "welcome",  "winter"};

constexpr std::array<std::string_view, 64> first_name_list{
    "Anna",  "Ben",    "Carla",  "David", "Elena",  "Felix",  "Greta",  "Hugo",   "Ines",   "Jonas",
    "Katja", "Liam",   "Maria",  "Noah",  "Olga",   "Paul",   "Quinn",  "Rosa",   "Samir",  "Tessa",
    "Umar",  "Vera",   "Willem", "Xenia", "Yusuf",  "Zoë",    "Adrian", "Bianca", "Cem",    "Dora",
    "Emil",  "Fatima", "Georg",  "Hanna", "Ivan",   "Jürgen", "Kim",    "Laura",  "Marek",  "Nadia",
    "Oskar", "Petra",  "Rafael", "Sofia", "Thomas", "Ursula", "Victor", "Wanda",  "Amélie", "Björn",
    "Chloé", "Dmitri", "Esther", "Frank", "Gloria", "Helmut", "Ida",    "José",   "Klara",  "Lukas",
    "Mira",  "Niels",  "Oliver", "Paula"};

constexpr std::array<std::string_view, 64> last_name_list{
    "Adler",   "Becker",   "Castro",   "Dubois",   "Engel",    "Fischer", "García",  "Hansen",
    "Ito",     "Jansen",   "Keller",   "Lindberg", "Müller",   "Novak",   "Okafor",  "Pérez",
    "Quandt",  "Rossi",    "Schmidt",  "Tanaka",   "Ulrich",   "Vogel",   "Weber",   "Xu",
    "Yilmaz",  "Zimmer",   "Albrecht", "Brandt",   "Costa",    "Diaz",    "Eriksen", "Fontaine",
    "Graf",    "Hoffmann", "Ivanov",   "Jung",     "Kowalski", "Lorenz",  "Moreau",  "Nguyen",
    "O'Brien", "Petersen", "Richter",  "Santos",   "Thomsen",  "Urban",   "Visser",  "Wagner",
    "Bauer",   "Conti",    "Dietrich", "Egger",    "Franke",   "Groß",    "Horvat",  "Ibarra",
    "Jäger",   "Klein",    "Lang",     "Martin",   "Neumann",  "Ortiz",   "Popescu", "Roth"};

constexpr std::array<std::string_view, 16> domain_list{
    "example.com",      "example.org",     "example.net",      "a.example.com",
    "b.example.org",    "c.example.net",   "shop.example.com", "uni.example.org",
    "corp.example.com", "box.example.net", "city.example.org", "web.example.com",
    "p.example.net",    "q.example.org",   "r.example.com",    "s.example.net"};

constexpr std::array<std::string_view, 4> user_roles{"editor", "viewer", "analyst", "manager"};
constexpr std::array<std::string_view, 3> admin_roles{"administrator", "owner", "support"};
constexpr std::array<std::string_view, 3> token_roles{"", "sender", ""};
constexpr std::array<std::string_view, 1> system_roles{""};

}  // namespace

std::span<const Action> actions() {
  static const std::vector<Action> all = all_actions();
  return all;
}

std::span<const DiffField> diff_fields(std::uint8_t type) {
  const std::string_view name = object_types[type].name;
  if (name == "Contact" || name == "User" || name == "Suppression" || name == "Administrator") {
    return contact_fields;
  }
  if (name == "Broadcast" || name == "Drip" || name == "Trigger" || name == "Segment" ||
      name == "List" || name == "WebForm") {
    return campaign_fields;
  }
  return setting_fields;
}

std::span<const std::string_view> words() {
  return word_list;
}
std::span<const std::string_view> first_names() {
  return first_name_list;
}
std::span<const std::string_view> last_names() {
  return last_name_list;
}
std::span<const std::string_view> mail_domains() {
  return domain_list;
}

std::span<const std::string_view> roles(ActorKind kind) {
  switch (kind) {
    case ActorKind::user:
      return user_roles;
    case ActorKind::admin:
      return admin_roles;
    case ActorKind::api_token:
      return token_roles;
    case ActorKind::system:
      break;
  }
  return system_roles;
}

}  // namespace docket::load
