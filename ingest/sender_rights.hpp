// What a sender may do, and how it shows that it may.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "ingest/peer_certificate.hpp"
#include "ingest/quota.hpp"

namespace docket::ingest {

struct SenderRights {
  std::vector<std::string> logs;   // that it may write to; empty: all
  std::vector<std::string> nodes;  // that it may call itself; empty: all
  std::function<bool()> hold;      // whether it still may; empty: it always may. Thread-safe
  std::shared_ptr<Quota> quota{};  // of all that show the token; null: none
};

// What a peer shows of itself. A token, where there is one, counts for more than a certificate.
struct Credentials {
  std::string_view token;                        // empty: none
  std::optional<PeerCertificate> certificate{};  // that an authority vouches for; nullopt: none
};

// What a peer may do that shows these. Called from the io threads, several at a time;
// must not block for long. Error: nothing at all, and why.
using Authenticate =
    std::function<Result<SenderRights>(const Credentials& shown, const std::string& peer)>;

// Whether a sender that may write to `allowed` only may write to `log`; empty: it may to all.
[[nodiscard]] bool may_write(const std::vector<std::string>& allowed, std::string_view log);
// What it is told otherwise.
[[nodiscard]] std::string log_forbidden(std::string_view log);

// The token of the line `{"token":"…"}`; nullopt for any other line. A token has neither quotes nor
// backslashes.
[[nodiscard]] std::optional<std::string_view> token_of_line(std::string_view line);

}  // namespace docket::ingest
