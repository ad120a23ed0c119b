// Who may do what: the tokens in effect.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/quota.hpp"
#include "ingest/sender_rights.hpp"
#include "tools/api/answer.hpp"
#include "tools/docketd/attempts.hpp"
#include "tools/docketd/request_guard.hpp"
#include "tools/docketd/token.hpp"

namespace docket::server {

// The token that a peer has shown; null where none are configured: then everybody may do all that
// there is, and only loopback is listened on.
using Grant = std::shared_ptr<const Token>;

// Every event where there is no token.
[[nodiscard]] inline api::Scope scope_of(const Grant& grant) {
  return grant ? grant->scope : api::Scope();
}

// Either who it is, or why not.
struct Shown {
  Grant token;
  std::string who;            // where there is a fault: `kind:id`, as told to `on_denied`
  std::string fault;          // not empty: it is none of ours, and why
  bool is_throttled = false;  // too many failures from there lately
};

class Access;
// What the sender that shows these may do; `access` must outlive the answer. Error:
// invalid_argument saying why it may not send.
[[nodiscard]] Result<ingest::SenderRights> rights_of(Access& access,
                                                     const ingest::Credentials& credentials,
                                                     const std::string& peer);

// Thread-safe.
class Access {
 public:
  // `who` is `kind:id`, as in the query language: the token's owner, or the address where nothing
  // better is known.
  using OnDenied = std::function<void(const std::string& who, const std::string& peer,
                                      const std::string& reason)>;

  explicit Access(const std::vector<Token>& tokens = {}, OnDenied on_denied = {});

  // At once, for all that follows. What is running asks holds().
  void change(const std::vector<Token>& tokens);

  // Of the token's owner: one for all of its connections, kept through reloads as long as its rates
  // stay the same; null: it has none.
  [[nodiscard]] std::shared_ptr<ingest::Quota> quota_of(const Token& token) const;
  // By the token's name.
  [[nodiscard]] std::map<std::string, ingest::Quota::Stats> throttled() const;

  // No tokens are configured.
  [[nodiscard]] bool is_open() const;
  // What a peer at ADDRESS:PORT, or an address, presents. A certificate counts where it shows no
  // token; one that stands for several is that of the first whose fingerprint it has, else of the
  // first whose name.
  [[nodiscard]] Shown show(const ingest::Credentials& credentials, const std::string& peer,
                           Nanos now);
  // Whether what was granted then is granted still, word for word.
  [[nodiscard]] bool holds(const Grant& grant, Nanos now) const;
  // Tells `on_denied` that the owner of a good token asked for more than it may.
  void deny(const Token& token, const std::string& peer, const std::string& reason) const;

  // Says who asks, or refuses: 401 with what is to be shown, 429 where that has failed too often,
  // 403 where the role does not suffice. `authorization` is the field, empty where it is absent or
  // given more than once. Whoever watches over the process (/healthz, /readyz) is not asked.
  void admit(AdmittedRequest& request, std::string_view authorization, const std::string& peer,
             Nanos now, Grant& grant);

 private:
  using Tokens = std::vector<Grant>;
  [[nodiscard]] std::shared_ptr<const Tokens> tokens() const;

  const OnDenied on_denied_;
  Attempts attempts_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Tokens> tokens_;
  struct Metered {
    ingest::QuotaRates rates;
    std::shared_ptr<ingest::Quota> quota;
  };
  std::map<std::string, Metered> quotas_;  // by the token's name
};

}  // namespace docket::server
