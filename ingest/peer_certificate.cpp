#include "ingest/peer_certificate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace docket::ingest {
namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    ERR_clear_error();
    throw std::bad_alloc();
  }
  return fmt::format("{:02x}", fmt::join(std::span(digest).first(size), ""));
}

// A NUL within a name has deceived readers before: such a one is none.
void add_name(const ASN1_STRING* text, std::vector<std::string>& names) {
  std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                   static_cast<std::size_t>(ASN1_STRING_length(text)));
  if (name.empty() || name.find('\0') != std::string::npos) {
    return;
  }
  for (char& c : name) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  names.push_back(std::move(name));
}

void add_dns_names(const X509* certificate, std::vector<std::string>& names) {
  const std::unique_ptr<GENERAL_NAMES, Free> alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) {
      add_name(name->d.dNSName, names);
    }
  }
}

void add_common_names(const X509* certificate, std::vector<std::string>& names) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  for (int i = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); i >= 0;
       i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) {
    add_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)), names);
  }
}

}  // namespace

std::optional<PeerCertificate> peer_certificate(const ssl_st* session) {
  const std::unique_ptr<X509, Free> certificate(SSL_get1_peer_certificate(session));
  if (!certificate || SSL_get_verify_result(session) != X509_V_OK) {
    return std::nullopt;
  }
  PeerCertificate peer;
  peer.sha256 = fingerprint(certificate.get());
  add_dns_names(certificate.get(), peer.names);
  if (peer.names.empty()) {
    add_common_names(certificate.get(), peer.names);
  }
  return peer;
}

}  // namespace docket::ingest
