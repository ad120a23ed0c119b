#include "tools/docketd/access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/timestamp.hpp"

namespace docket::server {

namespace {

constexpr std::uint32_t throttled_retry_s = 60;

bool has_expired(const Token& token, Nanos now) {
  return token.expires && now >= *token.expires;
}

// The token of `Bearer TOKEN`; empty where it is anything else.
std::string_view bearer_of(std::string_view authorization) {
  static constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size() ||
      !std::equal(scheme.begin(), scheme.end(), authorization.begin(), [](char a, char b) {
        return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
      })) {
    return {};
  }
  std::string_view token = authorization.substr(scheme.size());
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  return token;
}

Grant with_secret(const std::vector<Grant>& tokens, std::string_view secret) {
  Grant found;
  if (secret.size() > token_bytes_max) {
    return found;
  }
  const std::string digest = digest_of(secret);
  for (const Grant& candidate : tokens) {
    if (!candidate->sha256.empty() && same_digest(candidate->sha256, digest)) {
      found = candidate;
    }
  }
  return found;
}

Grant with_certificate(const std::vector<Grant>& tokens, const ingest::PeerCertificate& shown) {
  Grant found;
  for (const Grant& candidate : tokens) {
    if (candidate->certificate == shown.sha256) {
      return candidate;
    }
    if (!found && is_of_certificate(*candidate, shown)) {
      found = candidate;
    }
  }
  return found;
}

}  // namespace

Result<ingest::SenderRights> rights_of(Access& access, const ingest::Credentials& credentials,
                                       const std::string& peer) {
  const Shown shown = access.show(credentials, peer, now_ns());
  if (!shown.fault.empty()) {
    return fail(ErrorCode::invalid_argument, shown.fault);
  }
  ingest::SenderRights rights;
  rights.hold = [&access, grant = shown.token] { return access.holds(grant, now_ns()); };
  if (shown.token) {
    if (!may_use(shown.token->role, api::Endpoint::post_events)) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("the role {} does not send", to_string(shown.token->role)));
    }
    rights.logs = shown.token->logs;
    rights.nodes = shown.token->nodes;
    rights.quota = access.quota_of(*shown.token);
  }
  return rights;
}

Access::Access(const std::vector<Token>& tokens, OnDenied on_denied)
    : on_denied_(std::move(on_denied)) {
  change(tokens);
}

void Access::change(const std::vector<Token>& tokens) {
  auto taken = std::make_shared<Tokens>();
  for (const Token& token : tokens) {
    taken->push_back(std::make_shared<const Token>(token));
  }
  const std::lock_guard lock(mutex_);
  tokens_ = std::move(taken);
  std::map<std::string, Metered> quotas;
  for (const Token& token : tokens) {
    if (token.quota.is_limited()) {
      const auto known = quotas_.find(token.name);
      quotas[token.name] = known != quotas_.end() && known->second.rates == token.quota
                               ? known->second
                               : Metered{token.quota, std::make_shared<ingest::Quota>(token.quota)};
    }
  }
  quotas_ = std::move(quotas);
}

std::shared_ptr<ingest::Quota> Access::quota_of(const Token& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = quotas_.find(token.name);
  return found == quotas_.end() ? nullptr : found->second.quota;
}

std::map<std::string, ingest::Quota::Stats> Access::throttled() const {
  std::map<std::string, ingest::Quota::Stats> throttled;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, metered] : quotas_) {
    throttled[name] = metered.quota->stats();
  }
  return throttled;
}

std::shared_ptr<const Access::Tokens> Access::tokens() const {
  const std::lock_guard lock(mutex_);
  return tokens_;
}

bool Access::is_open() const {
  return tokens()->empty();
}

Shown Access::show(const ingest::Credentials& credentials, const std::string& peer, Nanos now) {
  Shown shown;
  const auto known = tokens();
  if (known->empty()) {
    return shown;
  }
  std::string who = "address:" + network_of(peer);
  if (!credentials.token.empty()) {
    shown.token = with_secret(*known, credentials.token);
    shown.fault = shown.token ? "" : "this is no token of this server";
  } else if (credentials.certificate) {
    shown.token = with_certificate(*known, *credentials.certificate);
    shown.fault = shown.token ? "" : "no token was shown, and the certificate stands for none";
  } else {
    shown.fault = "no token was shown";
  }
  if (shown.token && has_expired(*shown.token, now)) {
    shown.fault = "the token has expired";
    who = "api_token:" + shown.token->name;
    shown.token.reset();
  }
  if (!shown.fault.empty()) {
    shown.is_throttled = attempts_.failed(peer, now);
    shown.who = std::move(who);
  }
  return shown;
}

bool Access::holds(const Grant& grant, Nanos now) const {
  const auto known = tokens();
  if (!grant) {
    return known->empty();
  }
  return !has_expired(*grant, now) &&
         std::ranges::any_of(*known, [&grant](const Grant& token) { return *token == *grant; });
}

void Access::deny(const Token& token, const std::string& peer, const std::string& reason) const {
  if (on_denied_) {
    on_denied_("api_token:" + token.name, peer, reason);
  }
}

void Access::admit(AdmittedRequest& request, std::string_view authorization,
                   const std::string& peer, Nanos now, Grant& grant) {
  grant.reset();
  const bool is_found = request.route.kind == api::Route::Kind::found;
  const bool is_watch = is_found && (request.route.endpoint == api::Endpoint::healthz ||
                                     request.route.endpoint == api::Endpoint::readyz);
  // A name that leads here from elsewhere is told nothing more.
  if (is_watch || is_open() || (request.refusal && request.refusal->status == 421)) {
    return;
  }
  Shown shown = show({bearer_of(authorization)}, peer, now);
  if (shown.is_throttled) {
    request.refusal = api::problem(429, "too_many_failures", "Too many requests without a token",
                                   "too many from this address have shown no good token");
    request.refusal->retry_after_s = throttled_retry_s;
  } else if (!shown.fault.empty()) {
    request.refusal =
        api::problem(401, "unauthorized", "A token is needed",
                     fmt::format("{}; the field Authorization takes Bearer and it", shown.fault));
    request.refusal->authenticate = authorization.empty()
                                        ? "Bearer realm=\"docket\""
                                        : "Bearer realm=\"docket\", error=\"invalid_token\"";
  }
  if (!shown.fault.empty()) {
    if (on_denied_) {
      on_denied_(shown.who, peer, shown.fault);
    }
    return;
  }
  if (!request.refusal && shown.token && !may_use(shown.token->role, request.route.endpoint)) {
    const std::string why =
        fmt::format("the role {} does not suffice for this", to_string(shown.token->role));
    request.refusal = api::problem(403, "forbidden", "The token may not do this", why);
    request.refusal->authenticate = "Bearer realm=\"docket\", error=\"insufficient_scope\"";
    deny(*shown.token, peer, why);
  }
  grant = std::move(shown.token);
}

}  // namespace docket::server
